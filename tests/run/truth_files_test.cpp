// The same as truth_test.cpp, of TorchScript files of the same models. tests/models/make_truth_models.py exports all of them:
// those whose graph changes as one file for each graph, those that return something in which DDP finds no tensors with that
// said in gradscan.json. What a file cannot hold is the step around forward.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradscan/scan.h"
#include "tests/support/catch.h"
#include "tests/support/truth_table.h"

using namespace gradscan;
using namespace gradscan::tests;
using nlohmann::json;

namespace {

struct Files {
  std::vector<std::string> in_turn;
  CaptureOptions options;
};

Files files_of(const std::string& name) {
  static const std::string folder = std::string(GRADSCAN_TRUTH_MODELS) + "/";
  static const json all = json::parse(std::ifstream(folder + "files.json"));
  Files files;
  for (const std::string file : all.at(name).at("files")) files.in_turn.push_back(folder + file);
  files.options.loss = all.at(name).at("loss");
  return files;
}

// The cases with captures of their files.
std::map<std::string, Training> cases_in_files() {
  std::map<std::string, Training> cases = truth_cases();
  for (auto& [name, training] : cases) {
    Files files = files_of(name);
    training.in_turn.clear();
    for (const std::string& file : files.in_turn) training.in_turn.push_back(capture_file(file, files.options));
  }
  return cases;
}

Report scan_case(const std::string& name, const TrainingStep& step) {
  Files files = files_of(name);
  ScanOptions options{files.options};
  options.bucket_cap_mb = 1;
  options.step = step;
  options.then.assign(files.in_turn.begin() + 1, files.in_turn.end());
  return scan(files.in_turn.front(), options);
}

}  // namespace

TEST_CASE("The replay of every file of a model in training says what the real DistributedDataParallel says") {
  check_verdicts(cases_in_files());
}

TEST_CASE("The engine fires the hooks of every file of a model in training as often as Python counts") {
  check_firings(cases_in_files());
}

TEST_CASE("The scan of every file of a model in training reports what the real DistributedDataParallel says") {
  check_reports(truth_cases(), scan_case);
}
