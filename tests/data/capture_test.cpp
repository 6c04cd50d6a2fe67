#include "gradscan/capture.h"

#include "gradscan/error.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using tests::capture_from_text;

TEST_CASE("DDP's order leaves frozen parameters out") {
  Capture capture = capture_from_text("parameter a\nfrozen b\nparameter c");
  CHECK(ddp_order(capture) == std::vector<int>{0, 2});
}

TEST_CASE("DDP prints the last alias, with a leading dot for the root module's own") {
  CHECK(ddp_name({"embedding.weight", {"head.weight"}, {}, "float32", true}) == "head.weight");
  CHECK(ddp_name({"bias", {}, {}, "float32", true}) == ".bias");
  CHECK(ddp_name({"a.weight", {"b.weight"}, {}, "float32", true, false, "a.weight"}) == "a.weight");
}

TEST_CASE("a node belongs to the innermost region around it") {
  Capture capture = capture_from_text(
      "parameter w\ninput x\nregion a reentrant x\nh = mul x w\nregion b reentrant h\nh = relu h\nend h\nend h\nh = relu "
      "h\noutput h");
  CHECK(innermost_regions(capture) == std::vector<int>{none, none, 0, 0, 1, 1, 1, 0, none});
}

TEST_CASE("a capture that breaks a rule is refused with a sentence that says which") {
  const Capture good = capture_from_text("parameter w\ninput x\nregion a reentrant x\nh = mul x w\nend h\noutput h");
  auto check = [&](auto damage, const std::string& expected) {
    Capture capture = good;
    damage(capture);
    REQUIRE_THROWS_WITH(validate(capture, "f"), tests::contains(expected));
  };
  check([](Capture& c) { c.nodes[3].next[0].node = 3; }, "node 3 has an edge that does not lead to an earlier node");
  check([](Capture& c) { c.nodes[3].next[0].node = -7; }, "nodes[3].next[0]: -7 is no node");
  check([](Capture& c) { c.nodes[3].next[0].slot = 5; }, "uses a slot that its region does not have");
  check([](Capture& c) { c.nodes[3].saved = {4}; }, "nodes[3].saved[0]: 4 is no storage");
  check([](Capture& c) { c.nodes[3].gradient_flops = {1}; }, "has a different number of gradient_flops than of edges");
  check([](Capture& c) { c.nodes[0].parameter = 9; }, "nodes[0].parameter: 9 is no parameter");
  check([](Capture& c) { c.nodes[1] = c.nodes[0]; }, "node 1 is a second node of its parameter");
  check([](Capture& c) { c.parameters[0].requires_grad = false; }, "node 0 accumulates the gradient of a frozen parameter");
  check([](Capture& c) { c.regions[0].end = 3; }, "no boundary nodes");
  check([](Capture& c) { c.regions[0].end = 77; }, "regions[0].end: 77 is no node");
  check([](Capture& c) { c.regions.push_back(c.regions[0]); }, "region 1 shares a boundary node");
  check([](Capture& c) { c.regions.clear(); }, "belongs to no region");
  check(
      [](Capture& c) {
        c.nodes[3] = {.role = Role::region_begin};
        c.nodes[4].next[0] = {0, 0};
      },
      "belongs to no region");
  check([](Capture& c) { c.regions[0].parent = 0; }, "comes before its parent");
  check([](Capture& c) { c.regions[0].parent = -5; }, "regions[0].parent: -5 is no region");
  check([](Capture& c) { std::swap(c.regions[0].begin, c.regions[0].end); }, "no boundary nodes");
  check([](Capture& c) { c.nodes[4].next[0].slot = 2'000'000'000; }, "slots that are far too high");
  check([](Capture& c) { c.regions[0].nested_outputs = {3}; }, "has no output 3");
  check([](Capture& c) { c.outputs[0].edge = {3, 0}; }, "an output is inside a region");
  check([](Capture& c) { c.outputs[0].edge.node = 5; }, "outputs[0].edge: 5 is no node");
  check([](Capture& c) { c.nodes[3].next[0].slot = -1; }, "nodes[3].next[0][1] is negative");
  check([](Capture& c) { c.nodes[0].parameter = none; }, "node 0 does not say which parameter's gradient it accumulates");
  check([](Capture& c) { c.parameters[0].ignored = true; }, "node 0 belongs to a parameter that DDP ignores");
  check([](Capture& c) { c.parameters[0].dtype = "float31"; }, "parameter w has the unknown dtype \"float31\"");
  check([](Capture& c) { c.parameters[0].shape = {-1}; }, "parameters[0].shape[0] is negative");
  check([](Capture& c) { c.parameters[0].shape = {1LL << 32, 1LL << 32}; }, "parameter w is larger than any memory");
  check([](Capture& c) { c.parameters[0].shape = {1LL << 60}; }, "its parameters are larger than any memory");
  check([](Capture& c) { c.inputs[0].shape = {-1}; }, "inputs[0].shape[0] is negative");
  check([](Capture& c) { c.storages = {{.bytes = -1}}; }, "storages[0].bytes is negative");
  check([](Capture& c) { c.nodes[3].forward_flops = -1; }, "nodes[3].forward_flops is negative");
  check([](Capture& c) { c.nodes[3].forward_flops = 1LL << 61; }, "more FLOPs than 64 bits can count");
  check(
      [](Capture& c) {
        c.storages = {{.bytes = 1LL << 61}};
        c.nodes[3].saved = {0};
      },
      "saves more bytes than 64 bits can count");
}

TEST_CASE("regions that overlap are refused") {
  Capture capture = capture_from_text("input x\nregion a reentrant x\nend x\nregion b reentrant x\nend x\noutput x");
  std::swap(capture.nodes[2], capture.nodes[3]);
  std::swap(capture.regions[0].end, capture.regions[1].begin);
  capture.nodes[2].next[0] = {1, 0};
  capture.nodes[3].next[0] = {1, 0};
  CHECK_THROWS_WITH(validate(capture, "f"), tests::contains("region 1 is not inside its parent"));
}
