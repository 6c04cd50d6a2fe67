#include "gradscan/plan.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "gradscan/error.h"
#include "gradscan/price.h"
#include "gradscan/scan.h"
#include "tests/support/catch.h"

using namespace gradscan;
using nlohmann::json;

namespace {

constexpr const char* sample_file = "examples/resnet50_with_cp.pt";

const Capture& sample_with_modules() {
  static const Capture capture = capture_file(sample_file, {.every_module = true});
  return capture;
}

Price price_with(const std::vector<CheckpointPattern>& patterns) {
  return price(capture_file(sample_file, {.checkpoint = patterns}), Checkpointing::as_given);
}

// As Plan::options has them.
std::vector<CheckpointPattern> patterns_of(const Plan& plan) {
  std::vector<CheckpointPattern> patterns{{"*", Kind::off}};
  for (const std::string& module : plan.modules) patterns.push_back({module, Kind::non_reentrant});
  return patterns;
}

Plan planned(std::int64_t mebibytes) {
  return plan_checkpoints(sample_with_modules(), {.find_unused_parameters = true}, {.budget = mebibytes << 20});
}

}  // namespace

TEST_CASE("the sample costs what Python's torch measures of its model") {
  Capture capture = capture_file(sample_file);
  json rows = json::parse(std::ifstream("tests/price/rows.json"))["resnet50_with_cp"];
  REQUIRE(rows.size() == 3);
  for (Checkpointing checkpointing : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off}) {
    Price price = gradscan::price(capture, checkpointing);
    json regions = json::array();
    for (const RegionPrice& region : region_prices(capture, checkpointing))
      regions.push_back({region.recomputed_bytes, region.flops});
    json shown{{"kind", to_string(checkpointing)},  {"outside", price.outside},
               {"largest", price.largest},          {"regions", regions},
               {"forward", price.forward_flops},    {"backward", price.backward_flops},
               {"recompute", price.recompute_flops}};
    CAPTURE(shown);
    CHECK(std::find(rows.begin(), rows.end(), shown) != rows.end());
  }
}

TEST_CASE("calls of modules that are not checkpointed cost nothing") {
  Capture without = capture_file(sample_file);
  CHECK(sample_with_modules().regions.size() > 100);
  for (Checkpointing checkpointing : {Checkpointing::as_given, Checkpointing::off}) {
    Price a = price(sample_with_modules(), checkpointing), b = price(without, checkpointing);
    CHECK(a.outside == b.outside);
    CHECK(a.largest == b.largest);
    CHECK(a.forward_flops == b.forward_flops);
    CHECK(a.backward_flops == b.backward_flops);
    CHECK(a.recompute_flops == b.recompute_flops);
  }
}

TEST_CASE("a call that changes its argument in place is distinguished from one that can be recomputed") {
  std::map<std::string, RegionOrigin> origins;
  for (const Region& region : sample_with_modules().regions) origins[region.name] = region.origin;
  CHECK(origins.at("bn1") == RegionOrigin::module);
  CHECK(origins.at("layer1.0.conv1") == RegionOrigin::module);
  CHECK(origins.at("layer1.0.downsample") == RegionOrigin::module);
  CHECK(origins.at("relu") == RegionOrigin::changing_module);
  CHECK(origins.at("layer1.0.relu") == RegionOrigin::changing_module);
}

TEST_CASE("a plan keeps what it promises when its modules are checkpointed") {
  std::int64_t more_work = 0;
  for (int mebibytes : {450, 430, 400, 380, 370}) {
    CAPTURE(mebibytes);
    Plan plan = planned(mebibytes);
    CHECK(plan.fits);
    CHECK(plan.needed <= plan.budget);
    CHECK(plan.verdict.clean());
    CHECK_FALSE(plan.modules.empty());
    CHECK(plan.price.recompute_flops >= more_work);
    more_work = plan.price.recompute_flops;
    Price price = price_with(patterns_of(plan));
    CHECK(price.outside == plan.price.outside);
    CHECK(price.largest == plan.price.largest);
    CHECK(price.recompute_flops == plan.price.recompute_flops);
  }
}

TEST_CASE("a budget may be enough without checkpoints, or too small with all of them") {
  Plan enough = planned(500);
  CHECK(enough.fits);
  CHECK(enough.modules.empty());
  CHECK(enough.needed == enough.needed_without);
  Plan small = planned(200);
  CHECK_FALSE(small.fits);
  CHECK(small.needed < small.needed_as_given);
  CHECK(small.verdict.clean());
}
