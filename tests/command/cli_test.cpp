// The command line from end to end: what a user types, the exit code, the one line on standard error, and the files.
#include <sys/stat.h>

#include <chrono>

#include "gradscan/capture.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/run_program.h"
#include "tests/support/script_model.h"
#include "tests/support/temporary_folder.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const Strings with_input{"m.pt", "--input", "x=float32[3,2]"};

// A reentrant region and a head, which DDP's search for unused parameters sees.
std::string capture_of_a_region() {
  return to_json(capture_from_text(R"(
    parameter block.weight block.bias head.weight head.bias
    input x
    region block reentrant x
      x = linear x block
    end x
    x = linear x head
    output x
  )"));
}

// The line that gradscan prints before it gives up: nothing else on either stream, and nothing left behind in the folder.
std::string refusal(const TemporaryFolder& folder, int exit_code, const Strings& arguments) {
  Strings before = folder.names();
  Finished run = run_gradscan(folder.path(), arguments);
  CHECK(run.exit_code == exit_code);
  CHECK(run.out.empty());
  CHECK(folder.names() == before);
  INFO(run.err);
  REQUIRE(run.err.starts_with("gradscan: "));
  REQUIRE(run.err.find('\n') == run.err.size() - 1);
  return run.err.substr(10, run.err.size() - 11);
}

std::string refusal_of(const ScriptModel& model, int exit_code, const Strings& arguments = with_input) {
  TemporaryFolder folder;
  save(model, folder.path("m.pt"));
  return refusal(folder, exit_code, arguments);
}

std::string refusal_of(const std::string& content, const std::string& name = "m.pt") {
  TemporaryFolder folder;
  folder.write(name, content);
  return refusal(folder, 3, {name});
}

}  // namespace

TEST_CASE("Options --help and --version go to standard output") {
  Finished help = run_gradscan("/", {"--help"});
  CHECK(help.exit_code == 0);
  CHECK_THAT(help.out, StartsWith("Usage: gradscan [options] MODEL...\n"));
  CHECK(help.err.empty());
  Finished version = run_gradscan("/", {"--version"});
  CHECK(version.exit_code == 0);
  CHECK_THAT(version.out, Catch::Matchers::Matches(R"(gradscan \d+\.\d+\.\d+ \(torch \d+\.\d+\.\S+\)\n)"));
}

TEST_CASE("What gradscan cannot know is never OK") {
  TemporaryFolder folder;
  Capture capture = capture_from_text("parameter w b\ninput x\nx = mul x w\nx = mul x b\noutput x");
  folder.write("seen.capture.json", to_json(capture));
  CHECK(run_gradscan(folder.path(), {"seen.capture.json"}).exit_code == 0);

  Capture varying = capture;
  varying.varying = {"encoder has layerdrop=0.1"};
  folder.write("varying.capture.json", to_json(varying));
  Finished one_graph = run_gradscan(folder.path(), {"varying.capture.json", "--static-graph"});
  CHECK(one_graph.exit_code == 1);
  CHECK_THAT(one_graph.out, Contains("training may run other graphs than those in the file") && Contains("layerdrop=0.1") &&
                                Contains("UNKNOWN varies") && !Contains("OK"));
  CHECK(run_gradscan(folder.path(), {"seen.capture.json", "--then", "varying.capture.json"}).exit_code == 1);
  CHECK(run_gradscan(folder.path(), {"varying.capture.json", "--find-unused-parameters"}).exit_code == 1);

  Capture otherwise = capture;
  otherwise.observed = {.made = true, .firings = {{1, 0}, {0, 0}, {0, 1}}};
  folder.write("otherwise.capture.json", to_json(otherwise));
  for (const Strings& options : {Strings{}, Strings{"--freeze", "b"}, Strings{"--static-graph"}}) {
    Finished finished = run_gradscan(folder.path(), Strings{"otherwise.capture.json"} + options);
    CHECK(finished.exit_code == 70);
    CHECK_THAT(finished.out, Contains("UNKNOWN: no verdict on this model can be relied on") &&
                                 Contains("w: predicted 1, observed 2 (1 in inner") && !Contains("OK") && !Contains("ERROR:"));
  }
  for (const Strings& files : {Strings{"otherwise.capture.json", "seen.capture.json"},
                               Strings{"otherwise.capture.json", "--then", "seen.capture.json"},
                               Strings{"seen.capture.json", "--then", "otherwise.capture.json"}})
    CHECK(run_gradscan(folder.path(), files).exit_code == 70);
}

TEST_CASE("Layers that are left out make no difference to the search, if it sees all layers and no region is reentrant") {
  TemporaryFolder folder;
  const auto exit_code_of = [&](const std::string& text, const Strings& options, const Observation& observed = {}) {
    Capture capture = capture_from_text("parameter w b\ninput x\n" + text);
    capture.dropping = {"encoder has layerdrop=0.1"};
    capture.regions_known = true;
    capture.observed = observed;
    folder.write("m.capture.json", to_json(capture));
    return run_gradscan(folder.path(), Strings{"m.capture.json", "--find-unused-parameters"} + options).exit_code;
  };
  const std::string plain = "x = mul x w\nx = mul x b\noutput x",
                    region = "region r non_reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x";
  CHECK(exit_code_of(plain, {}) == 0);
  CHECK(exit_code_of(region, {}) == 0);
  CHECK(exit_code_of(region, {"--checkpointing", "reentrant"}) == 1);
  CHECK(exit_code_of(plain, {"--no-find-unused-parameters"}) == 1);
  CHECK(exit_code_of(plain, {"--static-graph"}) == 1);
  CHECK(exit_code_of(plain, {"--used-outside", "w"}) == 1);
  CHECK(exit_code_of("x = mul x w\noutput x", {}) == 1);
  CHECK(exit_code_of("x = mul x w\ny = mul x b\noutput x\noutput y dataclass", {}) == 1);
  CHECK(exit_code_of(plain, {}, {.made = true, .firings = {{0, 0}}}) == 1);
  CHECK(exit_code_of(plain, {}, {.made = true, .firings = {{0, 0}, {1, 0}, {0, 1}}}) == 70);
}

TEST_CASE("A run that ended early is not OK, whatever DDP's flags are") {
  TemporaryFolder folder;
  Capture capture = capture_from_text("parameter w b\ninput x\nx = mul x w\nx = mul x b\noutput x");
  capture.ended = {"a later forward uses the graph of an earlier one"};
  folder.write("m.capture.json", to_json(capture));
  Finished finished = run_gradscan(folder.path(), {"m.capture.json", "--find-unused-parameters"});
  CHECK(finished.exit_code == 1);
  CHECK_THAT(finished.out, Contains("UNKNOWN varies") && Contains("uses the graph of an earlier one"));
}

TEST_CASE("An error that the graph does not explain is charged to the setup in which it was seen") {
  TemporaryFolder folder;
  Capture capture =
      capture_from_text("parameter w b\ninput x\nregion r reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x");
  capture.observed = {.made = true, .error = "one of the variables was modified"};
  folder.write("m.capture.json", to_json(capture));
  Finished recorded = run_gradscan(folder.path(), {"m.capture.json"});
  CHECK(recorded.exit_code == 1);
  CHECK_THAT(recorded.out, Contains("ERROR: training fails even without DDP: one of the variables was modified") &&
                               Contains("UNKNOWN differs") && !Contains("Fixes"));
  for (const Strings& options : {Strings{"--checkpointing", "off"}, Strings{"--freeze", "b"}, Strings{"--no-sync", "1"}}) {
    Finished finished = run_gradscan(folder.path(), Strings{"m.capture.json"} + options);
    CHECK(finished.exit_code == 1);
    CHECK_THAT(finished.out, Contains("this setup is not known") && !Contains("ERROR:") && !Contains("OK"));
  }
}

TEST_CASE("An error that the graph explains says nothing of other kinds of checkpointing") {
  TemporaryFolder folder;
  Capture capture = capture_from_text("parameter w\ndata x\nregion r reentrant x\nx = mul x w\nend x\noutput x");
  capture.observed = {.made = true, .error = "element 0 of tensors does not require grad"};
  folder.write("m.capture.json", to_json(capture));
  Finished recorded = run_gradscan(folder.path(), {"m.capture.json"});
  CHECK(recorded.exit_code == 1);
  CHECK_THAT(recorded.out, Contains("fix 1") || Contains("1. "));
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--checkpointing", "non-reentrant"}).exit_code == 0);
}

TEST_CASE("A recomputation that differs is as bad as torch takes it") {
  TemporaryFolder folder;
  Capture capture =
      capture_from_text("parameter w b\ninput x\nregion r non_reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x");
  capture.regions[0].recomputation = "the first run saves 1 tensor, the second 2";
  const auto scan = [&](Mismatch mismatch, const Strings& options) {
    capture.regions[0].mismatch = mismatch;
    folder.write("m.capture.json", to_json(capture));
    return run_gradscan(folder.path(), Strings{"m.capture.json"} + options).out;
  };
  CHECK_THAT(scan(Mismatch::raises, {}),
             Contains("ERROR: the function of region r") && Contains("torch raises CheckpointError"));
  CHECK_THAT(scan(Mismatch::unnoticed, {}), Contains("SILENT FAILURE: the function of region r"));
  CHECK_THAT(scan(Mismatch::harmless, {}), Contains("OK: ") && Contains("SILENT recomputed"));
  CHECK_THAT(scan(Mismatch::unknown, {}), Contains("UNKNOWN: the function of region r") && Contains("UNKNOWN recomputed"));
  for (Mismatch mismatch : {Mismatch::unknown, Mismatch::raises, Mismatch::unnoticed, Mismatch::harmless}) {
    CHECK_THAT(scan(mismatch, {"--checkpointing", "reentrant"}), Contains("SILENT FAILURE: the function of region r"));
    CHECK_THAT(scan(mismatch, {"--checkpointing", "off"}), Contains("OK: "));
  }
}

TEST_CASE("A recomputation counts where backward needs it") {
  TemporaryFolder folder;
  const auto scan = [&](const std::string& text, Kind kind, const Strings& options) {
    Capture capture = capture_from_text(text);
    capture.regions[0].kind = kind;
    capture.regions[0].recomputation = "the first run saves 2 tensors, the second 1";
    capture.regions[0].mismatch = Mismatch::raises;
    folder.write("m.capture.json", to_json(capture));
    return run_gradscan(folder.path(), Strings{"m.capture.json"} + options).out;
  };
  const std::string unused =
      "parameter w b\ninput x\ny = mul x b\nregion r reentrant x\nx = mul x w\nend x\noutput y\noutput x unused";
  for (Kind kind : {Kind::reentrant, Kind::non_reentrant}) {
    CHECK_THAT(scan(unused, kind, {"--freeze", "w"}), Contains("OK: "));
    CHECK_THAT(scan(unused, kind, {"--zero-times", "w"}), !Contains("the function of region"));
    CHECK_THAT(scan(unused, kind, {"--find-unused-parameters"}), Contains("the function of region r"));
  }
  const std::string saves_elsewhere =
      "parameter w\ninput x\nregion r reentrant x\ny = add x w\nz = exp x\nend y z\noutput y\noutput z unused";
  CHECK_THAT(scan(saves_elsewhere, Kind::non_reentrant, {}), Contains("OK: "));
  CHECK_THAT(scan(saves_elsewhere, Kind::non_reentrant, {"--find-unused-parameters"}),
             Contains("ERROR: the function of region r"));
  const std::string nested =
      "parameter w b\ninput x\nregion out reentrant x\nregion in non_reentrant x\nx = mul x w\nend x\n"
      "x = mul x b\nend x\noutput x";
  CHECK_THAT(scan(nested, Kind::reentrant, {}), Contains("SILENT FAILURE: the function of region out"));
  CHECK_THAT(scan(nested, Kind::reentrant, {"--checkpoint", "out=off"}), Contains("UNKNOWN: the function of region in"));
  CHECK_THAT(scan(nested, Kind::reentrant, {"--checkpointing", "off"}), Contains("OK: "));
}

TEST_CASE("No kind of checkpointing is offered for a recomputation of which torch's answer is unknown") {
  TemporaryFolder folder;
  Capture capture = capture_from_text("parameter w\ninput x\nregion r reentrant x\nx = mul x w\nend x\noutput x");
  capture.regions[0].recomputation = "the first run saves 2 tensors, the second 1";
  folder.write("m.capture.json", to_json(capture));
  const std::string out = run_gradscan(folder.path(), {"m.capture.json"}).out;
  CHECK_THAT(out, Contains("1. no checkpointing") && !Contains("1. checkpoint(..., use_reentrant=False)"));
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--fix", "1"}).exit_code == 0);
}

TEST_CASE("A plan is no better than what is known of the model") {
  TemporaryFolder folder;
  Capture capture =
      capture_from_text("parameter w b\ninput x\nregion r reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x");
  folder.write("good.capture.json", to_json(capture));
  CHECK(run_gradscan(folder.path(), {"good.capture.json", "--budget", "1GiB"}).exit_code == 0);
  Capture varying = capture, several = capture;
  varying.varying = {"encoder has layerdrop=0.1"};
  folder.write("varying.capture.json", to_json(varying));
  Finished plan = run_gradscan(folder.path(), {"varying.capture.json", "--budget", "1GiB"});
  CHECK(plan.exit_code == 1);
  CHECK_THAT(plan.out, Contains("in doubt") && Contains("training may run other graphs"));
  several.further = {capture_from_text("parameter w b\ninput x\nx = mul x b\noutput x")};
  folder.write("several.capture.json", to_json(several));
  plan = run_gradscan(folder.path(), {"several.capture.json", "--budget", "1GiB"});
  CHECK(plan.exit_code == 1);
  CHECK_THAT(plan.out, Contains("Expected to have finished reduction"));
}

TEST_CASE("Captures of several graphs are compared and edited as a whole") {
  TemporaryFolder folder;
  Capture capture =
      capture_from_text("parameter w b\ninput x\nregion r reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x");
  capture.further = {capture_from_text("parameter w b\ninput x\nregion r reentrant x\nx = mul x w\nend x\noutput x")};
  folder.write("m.capture.json", to_json(capture));
  for (const std::string option : {"--ignore", "--freeze"}) {
    Finished finished = run_gradscan(folder.path(), {"m.capture.json", "--compare", "m.capture.json", option, "b"});
    CHECK(finished.exit_code == 0);
    CHECK_THAT(finished.out, Contains("same outcome") || Contains("no difference"));
  }
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--compare", "m.capture.json"}).exit_code == 1);
}

TEST_CASE("A capture of several graphs is played in turn") {
  TemporaryFolder folder;
  Capture capture =
      capture_from_text("parameter w b\ninput x\nregion r reentrant x\nx = mul x w\nend x\nx = mul x b\noutput x");
  Capture other = capture_from_text("parameter w b\ninput x\nx = mul x b\noutput x");
  capture.further = {other};
  folder.write("m.capture.json", to_json(capture));
  Finished finished = run_gradscan(folder.path(), {"m.capture.json", "--save-capture", "again.capture.json"});
  CHECK(finished.exit_code == 1);
  CHECK_THAT(finished.out, Contains("some iterations do not mark w (index 0) ready") && !Contains("UNKNOWN"));
  CHECK_THAT(folder.read("again.capture.json"), Contains("\"further\": ["));
  Finished changed = run_gradscan(folder.path(), {"again.capture.json", "--checkpoint", "r=off", "--find-unused-parameters"});
  CHECK(changed.exit_code == 0);
  CHECK_THAT(run_gradscan(folder.path(), {"m.capture.json", "--static-graph"}).out, Contains("in turn"));
}

TEST_CASE("Wrong usage") {
  TemporaryFolder folder;
  CHECK(refusal(folder, 2, {}) == "no model is given: write gradscan MODEL, or see gradscan --help");
  CHECK(refusal(folder, 2, {"m.pt", "--fast"}) == "--fast: is not an option of gradscan: see gradscan --help");
  CHECK(refusal(folder, 2, {"m.pt", "-o", "x.pdf"}) ==
        "-o x.pdf: this name does not say which format: let it end in .txt, .json, .html, .md, .svg, .dot or .sarif");
}

TEST_CASE("Files that are no models") {
  TemporaryFolder folder;
  CHECK(refusal(folder, 3, {"m.pt"}) == "m.pt: does not exist: check the path");
  CHECK(refusal(folder, 3, {"."}) == ".: is a folder: name a model file in it");
  CHECK(refusal_of("") == "m.pt: is empty: copy or export the file again");
  CHECK(refusal_of("<html>") == "m.pt: is a web page, not a model: download the file again; the page may say what went wrong");
  CHECK(refusal_of("PK\x03\x04") == "m.pt: is truncated or damaged (its zip directory cannot be read): copy the file again");
}

TEST_CASE("Further graphs of a capture must be of its model, and have none themselves") {
  Capture capture = capture_from_text("parameter w b\ninput x\nx = mul x w\nx = mul x b\noutput x"), other = capture;
  const auto refusal_with = [&](const Capture& further) {
    capture.further = {further};
    return refusal_of(to_json(capture), "m.capture.json");
  };
  other.parameters[0].ignored = true;
  other.nodes[0] = Node{.role = Role::leaf};
  CHECK_THAT(refusal_with(other), Contains("a further graph is of another model"));
  std::string nested = to_json(capture_from_text("parameter w\ninput x\nx = mul x w\noutput x"));
  nested.erase(nested.rfind('}'));
  std::string deep;
  for (int depth = 0; depth < 1000; ++depth) deep += nested + ", \"further\": [";
  deep += nested + "}";
  for (int depth = 0; depth < 1000; ++depth) deep += "]}";
  CHECK_THAT(refusal_of(deep, "m.capture.json"), Contains("a further graph has none of its own"));
}

TEST_CASE("A cut-short model") {
  TemporaryFolder folder;
  save({}, folder.path("whole.pt"));
  std::string whole = folder.read("whole.pt");
  CHECK(refusal_of(whole.substr(0, whole.size() * 2 / 3)) ==
        "m.pt: is truncated or damaged (its zip directory cannot be read): copy the file again");
}

TEST_CASE("A damaged model never ends gradscan without a line") {
  TemporaryFolder folder;
  save({}, folder.path("m.pt"));
  std::string whole = folder.read("m.pt");
  for (std::size_t position = whole.size() / 20; position < whole.size(); position += whole.size() / 20) {
    std::string damaged = whole;
    for (std::size_t i = 0; i < 8 && position + i < damaged.size(); ++i) damaged[position + i] = static_cast<char>(0xAA);
    folder.write("m.pt", damaged);
    Finished run = run_gradscan(folder.path(), with_input);
    INFO(position << ": " << run.err);
    CHECK(Catch::Matchers::VectorContains(run.exit_code).match({0, 1, 3, 4}));
    CHECK((run.err.empty() || run.err.find('\n') == run.err.size() - 1));
  }
}

TEST_CASE("Captures that are none") {
  CHECK_THAT(refusal_of("", "m.capture.json"), StartsWith("m.capture.json: "));
  CHECK_THAT(refusal_of("[]", "m.capture.json"), StartsWith("m.capture.json: is not a "));
  CHECK_THAT(refusal_of("{\"schema\": \"gradscan-capture/1\"", "m.capture.json"), StartsWith("m.capture.json: is not a "));
}

TEST_CASE("Models that cannot be scanned") {
  CHECK_THAT(refusal_of({.methods = "def other(self):\n  return 1\n"}, 3), StartsWith("m.pt: ") && Contains("forward"));
  CHECK_THAT(refusal_of({.methods = "def forward(self, x: Tensor):\n  return x\n", .parameters = {}}, 3),
             StartsWith("m.pt: ") && Contains("parameters"));
  CHECK_THAT(refusal_of({.requires_grad = false}, 3), StartsWith("m.pt: ") && Contains("requires grad"));
  CHECK_THAT(refusal_of({.methods = "def forward(self, x: Tensor):\n  return x * 2\n"}, 3),
             StartsWith("m.pt: ") && Contains("depend"));
}

TEST_CASE("Inputs that do not fit") {
  CHECK_THAT(refusal_of({}, 2, {"m.pt"}), StartsWith("m.pt: ") && Contains("--input"));
  CHECK_THAT(refusal_of({}, 4, {"m.pt", "--input", "x=float32[3,3]"}), StartsWith("m.pt: ") && Contains("--input"));
  CHECK_THAT(refusal_of({}, 4, {"m.pt", "--input", "x=int64[3,2]"}), StartsWith("m.pt: ") && Contains("--input"));
  CHECK_THAT(refusal_of({}, 2, with_input + Strings{"--input", "y=float32[2]"}), Contains("--input y"));
}

TEST_CASE("A model that fails") {
  std::string line = refusal_of(
      {.methods = "def forward(self, x: Tensor) -> Tensor:\n  assert x.numel() < 0, 'no luck'\n  return x @ self.weight\n"}, 4);
  CHECK_THAT(line, StartsWith("m.pt: ") && Contains("luck"));
}

TEST_CASE("An operator that this torch does not have is named") {
  std::string methods = "def forward(self, x: Tensor) -> Tensor:\n  return gradscan_tests.same(x @ self.weight)\n";
  CHECK_THAT(refusal_of({.methods = methods}, 4), Contains("gradscan_tests::same"));
}

TEST_CASE("A model that does not end is stopped", "[timing]") {
  std::string methods =
      "def forward(self, x: Tensor) -> Tensor:\n  while bool(x.numel() > 0):\n    x = x + 1\n  return x @ self.weight\n";
  CHECK(refusal_of({.methods = methods}, 5, with_input + Strings{"--time-limit", "2"}) ==
        "m.pt: the model took longer than 2 s to load and run: allow more with --time-limit");
}

TEST_CASE("A model that needs too much memory") {
  CHECK_THAT(refusal_of({}, 5, {"m.pt", "--input", "x=float32[100000000000000,2]"}),
             StartsWith("m.pt: ") && Contains("memory"));
}

TEST_CASE("What a model prints is not part of the report") {
  TemporaryFolder folder;
  save({.methods = "def forward(self, x: Tensor) -> Tensor:\n  print('noise')\n  return x @ self.weight\n"},
       folder.path("m.pt"));
  Finished run = run_gradscan(folder.path(), with_input + Strings{"--format", "json"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, StartsWith("{") && !Contains("noise"));
  CHECK(run.err.empty());
}

TEST_CASE("A pattern that matches nothing lists near matches") {
  CHECK_THAT(refusal_of({}, 2, with_input + Strings{"--checkpoint", "layer9"}), StartsWith("--checkpoint layer9: matches no "));
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  CHECK(refusal(folder, 2, {"m.capture.json", "--checkpoint", "blok"}) ==
        "--checkpoint blok: matches no module or checkpoint region: did you mean block?");
}

TEST_CASE("An unknown parameter to explain has near matches, and nothing is written") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  CHECK_THAT(
      refusal(folder, 2, {"m.capture.json", "--explain", "head.weigth", "-o", "r.json", "--save-capture", "c.capture.json"}),
      Contains("head.weight"));
}

TEST_CASE("Errors name the option or file that was typed") {
  TemporaryFolder folder;
  REQUIRE(::mkdir(folder.path("a").c_str(), 0700) == 0);
  folder.write("m.capture.json", capture_of_a_region());
  folder.write("a/other.capture.json", to_json(capture_from_text("parameter w\ninput x\nx = mul x w\noutput x")));
  CHECK(refusal(folder, 2, {"m.capture.json", "--then", "a/other.capture.json"}) ==
        "--then a/other.capture.json: its parameters differ from those of text: pass files of one model, made with different "
        "inputs");
  CHECK(refusal(folder, 2, {"m.capture.json", "--used-outside", "blok.bias"}) ==
        "--used-outside blok.bias: matches no parameter of text: did you mean block.bias?");
  CHECK(refusal(folder, 2, {"m.capture.json", "--zero-times", "q*"}) ==
        "--zero-times q*: matches no parameter of text: give its full name");
}

TEST_CASE("The file's own setup stands where the options leave it open") {
  Capture capture = parse_capture(capture_of_a_region(), "");
  capture.exported = {.known = true, .gradient_as_bucket_view = true};
  TemporaryFolder folder;
  folder.write("m.capture.json", to_json(capture));
  auto printed = [&](const Strings& more) {
    return run_gradscan(folder.path(), Strings{"m.capture.json", "--format", "json"} + more).out;
  };
  CHECK_THAT(printed({}), Contains("\"gradient_as_bucket_view\": true"));
  CHECK_THAT(printed({"--no-gradient-as-bucket-view"}), !Contains("\"gradient_as_bucket_view\": true"));
}

TEST_CASE("What the file's gradscan.json says") {
  auto stated = [](const std::string& more) {
    return ScriptModel{.metadata = "{\"schema\": \"gradscan-export/1\"" + more + "}"};
  };
  CHECK(refusal_of(stated(", \"loss\": [\"output[7]\"]"), 3) ==
        "m.pt: its gradscan.json names output[7] as the loss, which is not an output that requires grad: export the model "
        "again, or use --loss with one of: output");
  TemporaryFolder folder;
  auto saved_with = [&](const std::string& more) {
    save(stated(more), folder.path("m.pt"));
    CHECK(run_gradscan(folder.path(), with_input + Strings{"--save-capture", "m.capture.json"}).exit_code == 0);
    return read_capture(folder.path("m.capture.json"));
  };
  CHECK_FALSE(saved_with("").regions_known);
  CHECK(saved_with(", \"regions_known\": true").regions_known);
  CHECK_FALSE(saved_with("").exported.gradient_as_bucket_view);
  CHECK(saved_with(", \"ddp\": {\"gradient_as_bucket_view\": true}").exported.gradient_as_bucket_view);
  auto direct = [&](const std::string& path) {
    return saved_with(", \"outputs\": [{\"path\": \"" + path + "\"}]").outputs.at(0).direct;
  };
  CHECK(direct("output"));
  CHECK(direct("output[12]"));
  for (const char* path : {"output.logits", "output[0][1]", "output['a']", "output[]", "output[0", "logits"}) {
    CAPTURE(path);
    CHECK_FALSE(direct(path));
  }
}

TEST_CASE("The exit code tells whether the setup asked for is in conflict") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Finished defaults = run_gradscan(folder.path(), {"m.capture.json"});
  CHECK(defaults.exit_code == 0);
  CHECK(defaults.err.empty());
  Finished conflict = run_gradscan(folder.path(), {"m.capture.json", "--find-unused-parameters"});
  CHECK(conflict.exit_code == 1);
  CHECK_THAT(conflict.out, Contains("Expected to mark a variable ready only once"));
  CHECK(conflict.err.empty());
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--find-unused-parameters", "--checkpointing", "non-reentrant"})
            .exit_code == 0);
  CHECK(run_gradscan(folder.path(), {"m.capture.json", "--find-unused-parameters", "--checkpoint", "block=off"}).exit_code ==
        0);
}

TEST_CASE("Every output is written, and nothing else") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Finished run = run_gradscan(folder.path(), {"m.capture.json", "-o", "r.svg", "-o", "r.dot", "-o", "r.json", "-o", "r.txt",
                                              "--save-capture", "again.capture.json"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK(folder.names() == Strings{"again.capture.json", "m.capture.json", "r.dot", "r.json", "r.svg", "r.txt"});
  CHECK_THAT(folder.read("r.svg"), Contains("<svg"));
  CHECK_THAT(folder.read("r.dot"), StartsWith("digraph"));
  CHECK_THAT(folder.read("r.json"), Contains("gradscan-report/1"));
  CHECK(folder.read("r.txt") == run.out);
  CHECK(folder.read("again.capture.json") == folder.read("m.capture.json"));
}

TEST_CASE("What --format and --explain ask for takes the place of the text report") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  CHECK_THAT(run_gradscan(folder.path(), {"m.capture.json", "--format", "json"}).out, StartsWith("{"));
  CHECK_THAT(run_gradscan(folder.path(), {"m.capture.json", "--format", "dot"}).out, StartsWith("digraph"));
  CHECK_THAT(run_gradscan(folder.path(), {"m.capture.json", "--format", "svg"}).out, Contains("<svg"));
  std::string by_name = run_gradscan(folder.path(), {"m.capture.json", "--explain", "block.bias"}).out;
  CHECK_THAT(by_name, Contains("block.bias"));
  CHECK(by_name == run_gradscan(folder.path(), {"m.capture.json", "--explain", "1"}).out);
}

TEST_CASE("Outputs that cannot be written are refused before the model is run") {
  TemporaryFolder folder;
  std::string endless = "def forward(self, x: Tensor) -> Tensor:\n  while True:\n    x = x + 1\n  return x @ self.weight\n";
  save({.methods = endless}, folder.path("m.pt"));
  CHECK(refusal(folder, 6, with_input + Strings{"-o", "missing/r.svg"}) ==
        "missing/r.svg: its folder does not exist: create it or choose another path");
  CHECK(refusal(folder, 6, with_input + Strings{"--save-capture", "m.pt/c.json"}) ==
        "m.pt/c.json: cannot be written (Not a directory): choose another path");
  REQUIRE(::mkdir(folder.path("r.svg").c_str(), 0700) == 0);
  CHECK(refusal(folder, 6, with_input + Strings{"-o", "r.svg"}) == "r.svg: is a folder: add the name of a file");
}

TEST_CASE("An output that fails does not keep the others from being written") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  REQUIRE(::symlink("/dev/full", folder.path("full.json").c_str()) == 0);
  Finished run = run_gradscan(folder.path(), {"m.capture.json", "-o", "full.json", "-o", "r.txt"});
  CHECK(run.exit_code == 6);
  CHECK(run.err == "gradscan: full.json: cannot be written (No space left on device): make room or choose another path\n");
  CHECK(folder.names() == Strings{"full.json", "m.capture.json", "r.txt"});
}

TEST_CASE("Standard output that is full is an error, one that is closed early is not") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Finished full = run_gradscan(folder.path(), {"m.capture.json"}, ">/dev/full");
  CHECK(full.exit_code == 6);
  CHECK_THAT(full.err, StartsWith("gradscan: standard output: cannot be written (No space left on device)"));
  Finished closed = run_gradscan(folder.path(), {"m.capture.json", "--find-unused-parameters"}, "| true");
  CHECK(closed.exit_code == 1);
  CHECK(closed.err.empty());
}

TEST_CASE("A standard output that fails does not keep the files from being written") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Finished run =
      run_gradscan(folder.path(), {"m.capture.json", "-o", "r.svg", "--save-capture", "c.capture.json"}, ">/dev/full");
  CHECK(run.exit_code == 6);
  CHECK_THAT(folder.read("r.svg"), Contains("<svg"));
  CHECK(folder.read("c.capture.json") == folder.read("m.capture.json"));
}

TEST_CASE("A picture that cannot be laid out is written as Graphviz source, and everything else as asked for") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Strings without_layout{"LD_PRELOAD=" GRADSCAN_NO_LAYOUT};
  Finished run =
      run_gradscan(folder.path(), {"m.capture.json", "--format", "svg", "-o", "r.svg", "-o", "r.txt"}, "", without_layout);
  CHECK(run.exit_code == 6);
  CHECK(run.out.empty());
  CHECK(run.err ==
        "gradscan: r.svg: Graphviz cannot lay out the picture: its Graphviz source is in r.dot\n"
        "gradscan: standard output: Graphviz cannot lay out the picture: use --format dot\n");
  CHECK_THAT(folder.read("r.dot"), StartsWith("digraph"));
  CHECK(folder.names() == Strings{"m.capture.json", "r.dot", "r.txt"});
}

TEST_CASE("Standard streams that are closed do no harm to the model or the files") {
  TemporaryFolder folder;
  save({}, folder.path("m.pt"));
  Finished run = run_gradscan(folder.path(), with_input + Strings{"-o", "r.txt", "-o", "r.svg"}, "<&- >&-");
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.err, StartsWith("gradscan: standard output: cannot be written (Bad file descriptor)"));
  CHECK_THAT(folder.read("r.svg"), Contains("<svg"));
  Finished silent = run_gradscan(folder.path(), with_input + Strings{"-o", "silent.txt"}, "<&- 2>&-");
  CHECK(silent.exit_code == 0);
  CHECK(silent.out == folder.read("r.txt"));
  CHECK(folder.read("silent.txt") == folder.read("r.txt"));
}

TEST_CASE("The capture can go to standard output, the report elsewhere") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  Finished run = run_gradscan(folder.path(), {"m.capture.json", "--save-capture", "/dev/stderr"});
  CHECK(run.exit_code == 0);
  CHECK(run.err == folder.read("m.capture.json"));
}

TEST_CASE("Hostile file names") {
  for (const char* name : {"a b.capture.json", "-o.capture.json", "new\nline.capture.json", "'\"`$(x).capture.json",
                           "\x1b[31m.capture.json", "\xff.capture.json"}) {
    TemporaryFolder folder;
    folder.write(name, capture_of_a_region());
    Finished run = run_gradscan(folder.path(), {"-o", "-r.json", "--", name});
    INFO(name);
    CHECK(run.exit_code == 0);
    CHECK(run.err.empty());
    CHECK(folder.read("-r.json").starts_with("{"));
  }
  TemporaryFolder folder;
  CHECK(refusal(folder, 3, {"a\n\x1b[31mb"}) == "a\\n\\x1b[31mb: does not exist: check the path");
}

TEST_CASE("Colour is for terminals") {
  TemporaryFolder folder;
  folder.write("m.capture.json", capture_of_a_region());
  auto colored = [&](const Strings& more) {
    return run_gradscan(folder.path(), Strings{"m.capture.json", "--find-unused-parameters"} + more).out.find('\x1b') !=
           std::string::npos;
  };
  CHECK_FALSE(colored({}));
  CHECK_FALSE(colored({"--color", "auto"}));
  CHECK_FALSE(colored({"--color", "never"}));
  CHECK(colored({"--color", "always"}));
}

TEST_CASE("The same input gives the same bytes") {
  TemporaryFolder folder;
  save({}, folder.path("m.pt"));
  Strings command = with_input + Strings{"--format", "json", "--save-capture", "c.capture.json"};
  std::string first = run_gradscan(folder.path(), command).out, capture = folder.read("c.capture.json");
  CHECK(run_gradscan(folder.path(), command).out == first);
  CHECK(folder.read("c.capture.json") == capture);
  CHECK(run_gradscan(folder.path(), {"c.capture.json", "--format", "json"}).exit_code == 0);
}
