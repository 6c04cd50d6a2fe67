// Regions that close over outer activations, against what torch and the real DistributedDataParallel do with them:
// tests/truth/closure_cases.txt and closure_rows.json.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "gradscan/analyse.h"
#include "gradscan/firings.h"
#include "gradscan/replay.h"
#include "gradscan/report.h"
#include "gradscan/version.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using nlohmann::json;

namespace {

std::map<std::string, Capture> cases() {
  std::ifstream file("tests/truth/closure_cases.txt");
  std::map<std::string, std::string> texts;
  std::string* text = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("case "))
      text = &texts[line.substr(5)];
    else if (text)
      *text += line + '\n';
  }
  std::map<std::string, Capture> captures;
  for (const auto& [name, lines] : texts) captures[name] = tests::capture_from_text(lines);
  return captures;
}

json truth() {
  return json::parse(std::ifstream("tests/truth/closure_rows.json"));
}

Checkpointing checkpointing_of(const json& row) {
  for (Checkpointing kind : {Checkpointing::reentrant, Checkpointing::non_reentrant})
    if (row["checkpointing"] == to_string(kind)) return kind;
  return Checkpointing::off;
}

Setup setup_of(const json& row) {
  std::string flags = row["flags"];
  return {.checkpointing = checkpointing_of(row),
          .find_unused_parameters = flags.find("find_unused_parameters") != std::string::npos,
          .static_graph = flags.find("static_graph") != std::string::npos,
          .bucket_cap_mb = 1};
}

json names_of(const Capture& capture, const std::vector<int>& indices) {
  json names = json::array();
  for (int index : indices) names.push_back(capture.parameters[ddp_order(capture)[index]].name);
  return names;
}

json parameters_of(const Capture& capture, const Verdict& verdict) {
  json named = json::array();
  for (int index : verdict.parameters) named.push_back({index, names_of(capture, {index})[0]});
  return named;
}

json unsynchronised(const Capture& capture, const Verdict& verdict) {
  json iterations = json::object();
  for (const LocalGradient& local : verdict.local)
    iterations[names_of(capture, {local.parameter})[0].get<std::string>()] = local.iterations;
  return iterations;
}

json counts(const Causes& causes) {
  json numbers = json::array();
  for (const std::vector<Cause>& of_parameter : causes) numbers.push_back(of_parameter.size());
  return numbers;
}

bool includes(const Causes& all, const Causes& some) {
  for (std::size_t index = 0; index < all.size(); ++index)
    if (!std::includes(all[index].begin(), all[index].end(), some[index].begin(), some[index].end())) return false;
  return true;
}

}  // namespace

TEST_CASE("closures: the replay says what the real DistributedDataParallel says") {
  json table = truth();
  std::map<std::string, Capture> captures = cases();
  CHECK(table["rows"].size() == captures.size() * 3 * 4);
  for (const json& row : table["rows"]) {
    INFO(row["case"] << ' ' << row["checkpointing"] << ' ' << row["flags"]);
    const Capture& capture = captures.at(row["case"]);
    Verdict verdict = replay(capture, setup_of(row)).verdict;
    CHECK(to_string(verdict.outcome) == row["outcome"]);
    CHECK((verdict.iteration ? json(*verdict.iteration) : json()) == row["iteration"]);
    if (torch_version() == table["measured_with"]["torch"])
      CHECK(verdict.message == table["messages"][row["message"].get<int>()]);
    CHECK(parameters_of(capture, verdict) == row["parameters"]);
    if (verdict.outcome == Outcome::pass) CHECK(unsynchronised(capture, verdict) == row["unsynchronised"]);
    CHECK(names_of(capture, verdict.untrained) == row["untrained"]);
  }
}

TEST_CASE("closures: the engine fires as torch does, and as is counted in the graph") {
  json table = truth();
  std::map<std::string, Capture> captures = cases();
  CHECK(table["firings"].size() == captures.size() * 3);
  for (const json& row : table["firings"]) {
    INFO(row["case"] << ' ' << row["checkpointing"]);
    const Capture& capture = captures.at(row["case"]);
    EngineRun run = run_engine(capture, checkpointing_of(row));
    CHECK(counts(run.causes) == row["firings"]);
    if (torch_version() == table["measured_with"]["torch"]) CHECK(run.error == table["messages"][row["message"].get<int>()]);
    Firings counted = count_firings(capture, GradGraph(capture, checkpointing_of(row)), loss_roots(capture));
    CHECK(counted.runs_twice.has_value() == !run.error.empty());
    CHECK(includes(counted.causes, run.causes));
    if (run.error.empty()) CHECK(counted.causes == run.causes);
  }
}

TEST_CASE("closures: a gradient that is not the one without checkpointing is found") {
  json table = truth();
  std::map<std::string, Capture> captures = cases();
  for (const auto& [name, capture] : captures)
    for (Checkpointing checkpointing : {Checkpointing::reentrant, Checkpointing::non_reentrant}) {
      INFO(name << ' ' << to_string(checkpointing));
      json changed = json::array();
      for (const json& row : table["gradients"])
        if (row["case"] == name && row["checkpointing"] == to_string(checkpointing)) changed = row["changed"];
      json lost = json::array();
      for (const ParameterReport& parameter : analyse(capture, {.checkpointing = checkpointing}).parameters)
        if (parameter.lost_in != none) lost.push_back(parameter.name);
      CHECK(lost == changed);
    }
}
