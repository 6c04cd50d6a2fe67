// The command line from end to end, over several files and saved reports: exit codes, outputs, baseline, project.
#include <nlohmann/json.hpp>

#include "gradscan/capture.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Json = nlohmann::json;

namespace {

// `dead` is in no loss: DDP's defaults do not finish their reduction.
const char* unfinished = R"(
    parameter block.weight block.bias dead.weight
    input x
    region block reentrant x
      x = linear x block
    end x
    output x
)";

const char* fine = R"(
    parameter block.weight block.bias
    input x
    x = linear x block
    output x
)";

void write_capture_of(const TemporaryFolder& folder, const std::string& name, const char* text) {
  Capture capture = capture_from_text(text);
  capture.model = name;
  folder.write(name, to_json(capture));
}

void write_three(const TemporaryFolder& folder) {
  write_capture_of(folder, "a.capture.json", fine);
  write_capture_of(folder, "b.capture.json", unfinished);
  folder.write("c.capture.json", "{");
}

const Strings three{"a.capture.json", "b.capture.json", "c.capture.json"};

}  // namespace

TEST_CASE("Several files: a line for each, the worst first, and the exit code of the worst") {
  TemporaryFolder folder;
  write_three(folder);
  Finished run = run_gradscan(folder.path(), three);
  CHECK(run.exit_code == 3);
  std::size_t a = run.out.find("a.capture.json"), b = run.out.find("b.capture.json"), c = run.out.find("c.capture.json");
  CHECK(c < b);
  CHECK(b < a);
  CHECK(run_gradscan(folder.path(), {three[0], three[1]}).exit_code == 1);
  CHECK(run_gradscan(folder.path(), {three[0], three[1], "-j", "2"}).out ==
        run_gradscan(folder.path(), {three[0], three[1]}).out);
}

TEST_CASE("All formats of several files in one run") {
  TemporaryFolder folder;
  write_three(folder);
  Strings outputs;
  for (const char* name : {"r.txt", "r.json", "r.html", "r.md", "r.sarif"}) outputs = outputs + Strings{"-o", name};
  Finished run = run_gradscan(folder.path(), three + Strings{"-j", "3", "--format", "github"} + outputs);
  CHECK(run.exit_code == 3);
  CHECK_THAT(run.err, StartsWith("gradscan: c.capture.json: ") && Contains("is not a capture"));
  CHECK_THAT(run.out, Contains("::error "));
  for (const char* name : {"r.txt", "r.json", "r.html", "r.md", "r.sarif"}) {
    INFO(name);
    CHECK_THAT(folder.read(name), Contains("b.capture.json"));
  }
  Json json = Json::parse(folder.read("r.json"));
  CHECK(json.at("schema") == "gradscan-survey/1");
  CHECK(json.at("files").size() == 3);
  CHECK(json["files"][2].at("exit_code") == 3);
  CHECK(Json::parse(folder.read("r.sarif")).at("version") == "2.1.0");
}

TEST_CASE("A saved report is written in other formats without the model") {
  TemporaryFolder folder;
  write_capture_of(folder, "m.capture.json", unfinished);
  Strings outputs{"-o", "r.json", "-o", "r.svg", "-o", "r.md", "-o", "r.sarif"};
  CHECK(run_gradscan(folder.path(), Strings{"m.capture.json"} + outputs).exit_code == 1);
  Finished again = run_gradscan(folder.path(), {"r.json", "-o", "s.json", "-o", "s.svg", "-o", "s.md", "-o", "s.sarif"});
  CHECK(again.exit_code == 1);
  CHECK(again.out == run_gradscan(folder.path(), {"m.capture.json"}).out);
  for (const char* extension : {"json", "svg", "md"})
    CHECK(folder.read(std::string("r.") + extension) == folder.read(std::string("s.") + extension));
  Finished changed = run_gradscan(folder.path(), {"r.json", "--static-graph"});
  CHECK(changed.exit_code == 2);
  CHECK_THAT(changed.err, Contains("r.json: is a saved report, whose setup cannot be changed"));
  folder.write("gradscan.toml", "static-graph = true\n");
  CHECK(run_gradscan(folder.path(), {"r.json"}).out == again.out);
  CHECK_THAT(run_gradscan(folder.path(), {"r.json", "--save-capture", "c.capture.json"}).err, Contains("has no capture"));
}

TEST_CASE("A baseline lets known findings pass") {
  TemporaryFolder folder;
  write_capture_of(folder, "m.capture.json", unfinished);
  Finished first = run_gradscan(folder.path(), {"m.capture.json", "--baseline", "b.json", "--write-baseline", "b.json"});
  CHECK(first.exit_code == 1);
  Finished second = run_gradscan(folder.path(), {"m.capture.json", "--baseline", "b.json"});
  CHECK(second.exit_code == 0);
  CHECK(second.err.empty());
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--baseline", "b.json", "--static-graph", "--no-sync", "1"}).exit_code ==
        1);
  Finished missing = run_gradscan(folder.path(), {"m.capture.json", "--baseline", "none.json"});
  CHECK(missing.exit_code == 3);
  CHECK(missing.err == "gradscan: none.json: does not exist: check the path\n");
}

TEST_CASE("A project's options stand before the command line's") {
  TemporaryFolder folder;
  write_capture_of(folder, "m.capture.json", unfinished);
  folder.write("gradscan.toml", "freeze = \"dead.weight\"\n");
  CHECK(run_gradscan(folder.path(), {"m.capture.json"}).exit_code == 0);
  folder.write("gradscan.toml", "frieze = \"dead.weight\"\n");
  Finished wrong = run_gradscan(folder.path(), {"m.capture.json"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, Contains("gradscan.toml: ") && Contains("did you mean --freeze?"));
}

TEST_CASE("Every fix is what its options scan") {
  TemporaryFolder folder;
  write_capture_of(folder, "m.capture.json", unfinished);
  Finished run = run_gradscan(folder.path(), {"m.capture.json", "--format", "json"});
  Json fixes = Json::parse(run.out).at("fixes");
  REQUIRE(fixes.size() > 1);
  for (std::size_t at = 0; at < fixes.size(); ++at) {
    std::string options = fixes[at].at("options");
    INFO(options);
    Finished by_options = run_gradscan(folder.path(), {"m.capture.json", "--format", "json"}, options);
    Finished by_number = run_gradscan(folder.path(), {"m.capture.json", "--format", "json", "--fix", std::to_string(at + 1)});
    CHECK(by_options.exit_code == 0);
    CHECK(by_options.out == by_number.out);
  }
  Finished none = run_gradscan(folder.path(), {"m.capture.json", "--fix", "100"});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.err, StartsWith("gradscan: --fix 100: the report has fixes 1 to "));
}

TEST_CASE("A plan and a comparison take the report's place") {
  TemporaryFolder folder;
  write_capture_of(folder, "a.capture.json", unfinished);
  write_capture_of(folder, "b.capture.json", fine);
  Finished comparison = run_gradscan(folder.path(), {"a.capture.json", "--compare", "b.capture.json", "-o", "c.json"});
  CHECK(comparison.exit_code == 1);
  CHECK_THAT(comparison.out, Contains("dead.weight"));
  CHECK(Json::parse(folder.read("c.json")).contains("differences"));
  Finished plan = run_gradscan(folder.path(), {"a.capture.json", "--budget", "1GiB", "--static-graph", "--format", "json"});
  CHECK(plan.exit_code == 0);
  CHECK(Json::parse(plan.out).at("fits") == true);
  CHECK(Json::parse(plan.out).at("modules").empty());
  CHECK(run_gradscan(folder.path(), {"a.capture.json", "--budget", "1B", "--static-graph"}).exit_code == 1);
}

TEST_CASE("What gradscan knows can be listed") {
  CHECK_THAT(run_gradscan("/", {"--list-findings"}).out, Contains("marked-ready-twice"));
  CHECK_THAT(run_gradscan("/", {"--list-presets"}).out, Contains("timm"));
}
