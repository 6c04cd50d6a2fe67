// The embedded ResNet-50 against what the real DistributedDataParallel did with it on two ranks (tests/truth/).
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradscan/gradscan.h"
#include "tests/support/catch.h"

using namespace gradscan;
using nlohmann::json;

namespace {

const std::string sample = "examples/resnet50_with_cp.pt";

const json& truth() {
  static const json measured = json::parse(std::ifstream("tests/truth/resnet50_ddp.json"));
  return measured;
}

const Report& report() {
  static const Report scanned = [] {
    ScanOptions options;
    options.find_unused_parameters = true;
    return scan(sample, options);
  }();
  return scanned;
}

const Capture& capture() {
  static const Capture captured = capture_file(sample);
  return captured;
}

Setup setup_of(const json& row) {
  static const std::map<std::string, Checkpointing> kinds{
      {"reentrant", Checkpointing::reentrant}, {"non_reentrant", Checkpointing::non_reentrant}, {"off", Checkpointing::off}};
  return {.checkpointing = kinds.at(row["checkpointing"]),
          .find_unused_parameters = row["flags"] == "find_unused_parameters",
          .static_graph = row["flags"] == "static_graph"};
}

const Verdict& verdict_of(const json& row) {
  Setup setup = setup_of(row);
  auto same = [&](const Verdict& verdict) {
    return verdict.setup.checkpointing == setup.checkpointing && verdict.setup.static_graph == setup.static_graph &&
           verdict.setup.find_unused_parameters == setup.find_unused_parameters;
  };
  auto verdict = std::find_if(report().verdicts.begin(), report().verdicts.end(), same);
  REQUIRE(verdict != report().verdicts.end());
  return *verdict;
}

json named_by(const Verdict& verdict) {
  json named = json::array();
  for (int index : verdict.parameters) named.push_back({index, report().parameters.at(index).name});
  return named;
}

// The size in bytes of every bucket that the replay of that setup ends with.
std::vector<std::int64_t> bucket_bytes(const Setup& setup) {
  std::vector<std::int64_t> sizes;
  for (const std::vector<int>& bucket : replay(capture(), setup).buckets) {
    sizes.push_back(0);
    for (int index : bucket) {
      const Parameter& parameter = capture().parameters[ddp_order(capture())[index]];
      std::int64_t elements = 1;
      for (std::int64_t size : parameter.shape) elements *= size;
      sizes.back() += elements * element_size(parameter.dtype);
    }
  }
  return sizes;
}

}  // namespace

TEST_CASE("sample: DDP's verdict in all nine setups, word for word") {
  REQUIRE(truth()["rows"].size() == 9);
  for (const json& row : truth()["rows"]) {
    CAPTURE(row["checkpointing"], row["flags"]);
    const Verdict& verdict = verdict_of(row);
    CHECK(to_string(verdict.outcome) == row["outcome"].get<std::string>());
    CHECK((verdict.iteration ? json(*verdict.iteration) : json()) == row["iteration"]);
    // Another torch says the same in other words.
    if (torch_version() == truth()["measured_with"]["torch"].get<std::string>())
      CHECK(verdict.message == row["message"].get<std::string>());
    CHECK(named_by(verdict) == row["parameters"]);
    CHECK(json(verdict.unsynchronised) == row["unsynchronised"]);
    CHECK(json(verdict.untrained) == row["untrained"]);
  }
}

TEST_CASE("sample: the parameters, in DDP's order, and how often each fires under each kind of checkpointing") {
  REQUIRE(report().parameters.size() == truth()["parameters"].size());
  REQUIRE(report().parameters.size() == 161);
  for (const ParameterReport& parameter : report().parameters) {
    CAPTURE(parameter.index, parameter.name);
    CHECK(parameter.name == truth()["parameters"][parameter.index]);
    CHECK(parameter.firings.reentrant == truth()["firings"]["reentrant"][parameter.index]);
    CHECK(parameter.firings.non_reentrant == truth()["firings"]["non_reentrant"][parameter.index]);
    CHECK(parameter.firings.off == truth()["firings"]["off"][parameter.index]);
  }
}

TEST_CASE("sample: DDP's search sees the stem and the head only, and marks all others once more than they fire") {
  for (const ParameterReport& parameter : report().parameters) {
    CAPTURE(parameter.index, parameter.name);
    bool inside = parameter.name.starts_with("layer");
    CHECK(parameter.seen_by_search == truth()["in_outer_graph"]["reentrant"][parameter.index]);
    CHECK(parameter.seen_by_search == !inside);
    CHECK(parameter.ready_marks.defaults == 1);
    CHECK(parameter.ready_marks.find_unused_parameters == (inside ? 2 : 1));
    CHECK(parameter.ready_marks.static_graph == 1);
    REQUIRE(parameter.fired_by.size() == 1);
    CHECK((parameter.fired_by[0] != none) == inside);
  }
}

TEST_CASE("sample: sixteen regions, one for each bottleneck") {
  REQUIRE(report().regions.size() == 16);
  std::size_t parameters = 0;
  for (const RegionReport& region : report().regions) {
    CAPTURE(region.id, region.name);
    CHECK(region.kind == Kind::reentrant);
    CHECK(region.parent == none);
    CHECK(region.executed);
    CHECK(region.arguments == 1);
    CHECK(region.arguments_without_grad.empty());
    CHECK(region.origin == RegionOrigin::marker);
    CHECK(region.source.starts_with("make_resnet50.py:"));
    bool downsamples = region.name.ends_with(".0");
    CHECK(region.parameters.size() == (downsamples ? 12 : 9));
    for (int index : region.parameters) CHECK(report().parameters.at(index).name.starts_with(region.name + "."));
    parameters += region.parameters.size();
  }
  CHECK(parameters == 161 - 5);  // all but conv1, bn1 and fc
  CHECK(report().regions.back().name == "layer4.2");
}

TEST_CASE("sample: buckets are as large as DDP's") {
  int passing = 0;
  for (const json& row : truth()["rows"]) {
    if (row["outcome"] != "pass") continue;
    ++passing;
    CAPTURE(row["checkpointing"], row["flags"]);
    CHECK(json(bucket_bytes(setup_of(row))) == row["bucket_bytes"]);
  }
  CHECK(passing > 0);
}
