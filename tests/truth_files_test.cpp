// The same as truth_test.cpp, of TorchScript files of the same models: tests/models/make_truth_models.py has exported all of
// them, those whose graph changes as one file for each graph.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "gradscan/scan.h"
#include "tests/catch.h"
#include "tests/truth_table.h"

using namespace gradscan;
using namespace gradscan::tests;
using nlohmann::json;

namespace {

const std::string folder = std::string(GRADSCAN_TRUTH_MODELS) + "/";

// The cases with captures of their files.
const std::map<std::string, Training>& cases_in_files() {
  static const std::map<std::string, Training> result = [] {
    json files = json::parse(std::ifstream(folder + "files.json"));
    std::map<std::string, Training> cases = truth_cases();
    for (auto& [name, training] : cases) {
      training.in_turn.clear();
      CaptureOptions options;
      options.loss = files[name]["loss"];
      for (const std::string file : files[name]["files"]) training.in_turn.push_back(capture_file(folder + file, options));
    }
    return cases;
  }();
  return result;
}

}  // namespace

TEST_CASE("The replay of every file of a model in training says what the real DistributedDataParallel says") {
  check_verdicts(cases_in_files());
}

TEST_CASE("The engine fires the hooks of every file of a model in training as often as Python counts") {
  check_firings(cases_in_files());
}
