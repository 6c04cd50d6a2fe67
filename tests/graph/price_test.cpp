#include "gradscan/price.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using nlohmann::json;
using tests::capture_from_text;

namespace {

const json& measured() {
  static const json rows = json::parse(std::ifstream("tests/price/rows.json"));
  return rows;
}

Checkpointing checkpointing_of(const std::string& name) {
  for (Checkpointing checkpointing :
       {Checkpointing::as_given, Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off})
    if (to_string(checkpointing) == name) return checkpointing;
  throw std::invalid_argument(name);
}

const Capture& captured(const std::string& name) {
  static std::map<std::string, Capture> captures;
  auto found = captures.find(name);
  if (found == captures.end()) found = captures.emplace(name, read_capture("tests/price/" + name + ".capture.json")).first;
  return found->second;
}

}  // namespace

TEST_CASE("what checkpointing keeps and does again is what Python's torch keeps and does again") {
  CHECK(measured()["rows"].size() >= 36);
  for (const json& row : measured()["rows"]) {
    const Capture& capture = captured(row["case"]);
    Checkpointing checkpointing = checkpointing_of(row["kind"]);
    Price price = gradscan::price(capture, checkpointing);
    json regions = json::array();
    for (const RegionPrice& region : region_prices(capture, checkpointing))
      regions.push_back({region.recomputed_bytes, region.flops});
    json shown{{"case", row["case"]},
               {"kind", row["kind"]},
               {"outside", price.outside},
               {"largest", price.largest},
               {"regions", regions},
               {"forward", price.forward_flops},
               {"backward", price.backward_flops},
               {"recompute", price.recompute_flops}};
    CHECK(shown == row);
  }
}

TEST_CASE("an optimizer's state is as large as Python's torch makes it") {
  Capture capture;
  capture.parameters = {{"a", {}, {3}}, {"b", {}, {5}}, {"c", {}, {7}, "float64", false}};
  FixedMemory memory = fixed_memory(capture, {}, Optimizer::adam);
  CHECK(memory.optimizer == measured()["adam"].get<std::int64_t>());
  CHECK(memory.parameters == 3 * 4 + 5 * 4 + 7 * 8);
  CHECK(memory.gradients == 32);
  CHECK(memory.buckets == 32);
  CHECK(memory.sum() == memory.parameters + 64 + *memory.optimizer);
  CHECK(fixed_memory(capture, {}, Optimizer::sgd).optimizer == 0);
  CHECK(fixed_memory(capture, {}, Optimizer::sgd_momentum).optimizer == 32);
  CHECK_FALSE(fixed_memory(capture, {}, {}).optimizer);
  CHECK(fixed_memory(capture, {.gradient_as_bucket_view = true}, {}).buckets == 0);
}

TEST_CASE("a price is scaled to a batch of which all inputs tell the size") {
  Capture capture;
  CHECK_FALSE(batch_size(capture));
  capture.inputs = {{"x", "float32", {4, 3}}, {"scale", "float32", {}}, {"y", "int64", {4}}};
  CHECK(batch_size(capture) == 4);
  capture.inputs.push_back({"z", "float32", {5}});
  CHECK_FALSE(batch_size(capture));
  Price price = scaled(
      {.outside = 10, .largest = 3, .largest_region = 2, .forward_flops = 4, .backward_flops = 8, .recompute_flops = 2}, 1.5);
  CHECK(price.peak() == 20);
  CHECK(price.largest_region == 2);
  CHECK(price.recompute_share() == 3.0 / 18);
}

TEST_CASE("a price that 64 bits cannot count is refused") {
  Price price{.forward_flops = 1'000'000'000'000};
  CHECK(scaled(price, 4e6).forward_flops == 4'000'000'000'000'000'000);
  CHECK_THROWS_WITH(scaled(price, 1e9), "--batch: the bytes or FLOPs of so large a batch exceed 64 bits: use a smaller one");
}
