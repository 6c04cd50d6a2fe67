#include "analyzer/repair/smallest_set.h"

#include <map>

#include "gradscan/edits.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

std::vector<NamedRegions> names_of(const Capture& capture) {
  std::vector<NamedRegions> names;
  for (const Region& region : capture.regions)
    if (names.empty() || names.back().name != region.name) names.push_back({region.name});
  return names;
}

std::vector<int> set_for(const Capture& capture, const Setup& setup) {
  return smallest_set(std::span(&capture, 1), setup, names_of(capture));
}

// `shared` is used in two regions: where one of them stops being reentrant, the other one's inner backward still fires it
// again.
const char* const tied = R"(
  parameter l0.weight l0.bias shared.weight shared.bias other.weight other.bias
  input x
  h = linear x l0
  region first reentrant h
    h = linear h shared
  end h
  region middle reentrant h
    h = linear h other
  end h
  region last reentrant h
    h = linear h shared
  end h
  output h)";

TEST_CASE("only the regions that are in the way change") {
  CHECK(set_for(tests::capture_from_text(tied), {}) == std::vector<int>{0, 2});
}

TEST_CASE("two regions in the way among many") {
  Capture capture = tests::resnet50();
  std::map<std::string, int> node_of;
  for (std::size_t id = 0; id < capture.nodes.size(); ++id)
    if (capture.nodes[id].role == Role::parameter)
      node_of[capture.parameters[capture.nodes[id].parameter].name] = static_cast<int>(id);
  for (Node& node : capture.nodes)
    for (GradEdge& edge : node.next)
      if (edge.node == node_of.at("layer3.4.conv2.weight")) edge.node = node_of.at("layer1.1.conv2.weight");
  capture = edited(capture, {.freeze = {"layer3.4.conv2.weight"}});
  CHECK(set_for(capture, {}) == std::vector<int>{1, 11});
}

TEST_CASE("with find_unused_parameters every region is in the way") {
  CHECK(set_for(tests::resnet50(), {.find_unused_parameters = true}).size() == 16);
}

TEST_CASE("no set helps where a parameter is unused") {
  CHECK(set_for(tests::case_named("chain_dead_head"), {}).empty());
}

TEST_CASE("calls of one name are one choice") {
  Capture capture = tests::case_named("twice");
  REQUIRE(names_of(capture).size() == 1);
  CHECK(set_for(capture, {}) == std::vector<int>{0});
}

TEST_CASE("a region that is lost changes, though it marks nothing twice") {
  Capture capture = tests::case_named("input_without_grad");
  CHECK(set_for(capture, {.find_unused_parameters = true}) == std::vector<int>{0});
}

TEST_CASE("a region that gets a gradient again when the one before it changes stays as it is") {
  Capture capture = tests::capture_from_text(R"(
    parameter a.weight a.bias b.weight b.bias
    data x
    h = detach x
    region first reentrant h
      h = linear h a
    end h
    region second reentrant h
      h = linear h b
    end h
    output h)");
  CHECK(set_for(capture, {}) == std::vector<int>{0});
}

TEST_CASE("kinds are those of the setup") {
  Capture capture = tests::capture_from_text(tied);
  for (Region& region : capture.regions) region.kind = Kind::off;
  CHECK(set_for(capture, {.checkpointing = Checkpointing::reentrant}) == std::vector<int>{0, 2});
}

}  // namespace
}  // namespace gradscan
