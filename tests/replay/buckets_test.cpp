// Bucket layouts against those of the real DistributedDataParallel: tests/truth/bucket_cases.txt and bucket_layouts.json.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gradscan/replay.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using nlohmann::json;

namespace {

// A capture's statements, and the lines about parameters among the others, which capture_from_text() does not know.
struct CaseText {
  std::string statements;
  std::vector<std::string> sizes, dtypes;
};

std::map<std::string, CaseText> read_cases() {
  std::ifstream file("tests/truth/bucket_cases.txt");
  std::map<std::string, CaseText> cases;
  CaseText* text = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("case "))
      text = &cases[line.substr(5)];
    else if (line.starts_with("size "))
      text->sizes.push_back(line.substr(5));
    else if (line.starts_with("dtype "))
      text->dtypes.push_back(line.substr(6));
    else if (text)
      text->statements += line + '\n';
  }
  return cases;
}

Parameter* parameter_named(Capture& capture, const std::string& name) {
  for (Parameter& parameter : capture.parameters)
    if (parameter.name == name) return &parameter;
  return nullptr;
}

Capture capture_of(const CaseText& text) {
  Capture capture = tests::capture_from_text(text.statements);
  for (const std::string& line : text.sizes) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    Parameter* parameter = parameter_named(capture, name);
    if (parameter) parameter->shape.assign(std::istream_iterator<std::int64_t>(words), {});
  }
  for (const std::string& line : text.dtypes) {
    std::istringstream words(line);
    std::string dtype;
    words >> dtype;
    for (std::string name; words >> name;) parameter_named(capture, name)->dtype = dtype;
  }
  return capture;
}

Setup setup_of(const json& row, const std::string& kind) {
  Setup setup;
  for (Checkpointing checkpointing : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off})
    if (kind == to_string(checkpointing)) setup.checkpointing = checkpointing;
  setup.find_unused_parameters = row["flags"] == "find_unused_parameters";
  setup.static_graph = row["flags"] == "static_graph";
  if (!row["bucket_cap_mb"].is_null()) setup.bucket_cap_mb = row["bucket_cap_mb"];
  return setup;
}

}  // namespace

TEST_CASE("buckets hold what those of the real DistributedDataParallel hold") {
  std::map<std::string, CaseText> cases = read_cases();
  std::map<std::string, Capture> captures;
  for (const auto& [name, text] : cases) captures[name] = capture_of(text);
  json truth = json::parse(std::ifstream("tests/truth/bucket_layouts.json"));
  int layouts = 0;
  for (const json& row : truth["rows"]) {
    for (const std::string kind : row["checkpointing"]) {
      INFO(row["case"] << ' ' << kind << ' ' << row["flags"] << " bucket_cap_mb=" << row["bucket_cap_mb"]);
      CHECK(json(replay(captures.at(row["case"]), setup_of(row, kind)).buckets) == row["buckets"]);
      ++layouts;
    }
  }
  CHECK(layouts == 594);
}
