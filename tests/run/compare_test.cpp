#include "gradscan/compare.h"

#include <nlohmann/json.hpp>

#include "gradscan/writers.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;

// ResNet-50 with with_cp=True and find_unused_parameters, as mmdetection trains it.
Side failing() {
  return {tests::resnet50(), {.find_unused_parameters = true}};
}

Side named(Side side, const std::string& model) {
  side.capture.model = model;
  return side;
}

TEST_CASE("the kind of the regions decides") {
  for (Kind kind : {Kind::non_reentrant, Kind::off}) {
    Side second = named(failing(), "sibling.pt");
    for (Region& region : second.capture.regions) region.kind = kind;
    second.setup.bucket_cap_mb = 5;
    Comparison comparison = compare(failing(), second);
    CHECK_FALSE(comparison.same_outcome);
    CHECK(comparison.together);
    REQUIRE(comparison.differences.size() == 2);
    CHECK(comparison.differences[0].what == "kind of regions layer1.0, layer1.1, layer1.2, layer2.0 and 12 more");
    CHECK(comparison.differences[0].decides);
    CHECK(comparison.differences[0].verdict->outcome == Outcome::pass);
    CHECK(comparison.differences[1].what == "bucket_cap_mb");
    CHECK_FALSE(comparison.differences[1].decides);
    CHECK(comparison.differences[1].verdict->outcome == Outcome::marked_ready_twice);
  }
}

TEST_CASE("a flag decides") {
  Comparison comparison = compare(failing(), {tests::resnet50(), {}});
  REQUIRE(comparison.differences.size() == 1);
  CHECK(comparison.differences[0].what == "find_unused_parameters");
  CHECK(comparison.differences[0].decides);
}

TEST_CASE("several differences decide together") {
  Side first{case_named("twice"), {.find_unused_parameters = true}}, second{case_named("twice"), {}};
  second.capture.regions[0].kind = second.capture.regions[1].kind = Kind::off;
  second.setup.step.zero_times = {"*"};
  first.setup.step.used_outside = {"l2.*"};
  first.setup.step.backwards = 2;
  Comparison comparison = compare(first, second);
  CHECK(comparison.together);
  for (const Difference& difference : comparison.differences) CHECK_FALSE(difference.decides);
  CHECK_THAT(to_text(comparison), Catch::Matchers::Contains("No difference is decisive by itself."));
}

TEST_CASE("nothing is decisive if both have the same outcome") {
  Comparison comparison = compare({case_named("once"), {}}, {case_named("once"), {.static_graph = true}});
  CHECK(comparison.same_outcome);
  REQUIRE(comparison.differences.size() == 1);
  CHECK_FALSE(comparison.differences[0].decides);
  CHECK(comparison.differences[0].verdict->outcome == Outcome::pass);
}

TEST_CASE("what only the second has cannot be applied to the first") {
  Comparison comparison =
      compare({case_named("plain"), {.find_unused_parameters = true}}, {case_named("once"), {.find_unused_parameters = true}});
  REQUIRE(comparison.differences.size() == 1);
  CHECK_FALSE(comparison.differences[0].verdict);
  CHECK_FALSE(comparison.together);
}

TEST_CASE("a shared weight decides") {
  Capture apart = tests::capture_from_text(R"(
    parameter first.weight first.bias last.weight last.bias
    input x
    h = linear x first
    region last reentrant h
      h = linear h last
    end h
    output h)");
  Comparison comparison = compare({apart, {}}, {case_named("tied_across_region_edge"), {}});
  REQUIRE(comparison.differences.size() == 1);
  CHECK(comparison.differences[0].decides);
  CHECK(comparison.differences[0].verdict->outcome == Outcome::marked_ready_twice);
}

TEST_CASE("a comparison in words") {
  Side second = named({tests::resnet50(), {}}, "sibling.pt");
  for (Region& region : second.capture.regions) region.kind = Kind::off;
  CHECK(to_text(compare(failing(), second), {.width = 100}) ==
        R"(first   resnet50.pt, DistributedDataParallel(model, find_unused_parameters=True): ERROR ready twice
second  sibling.pt, DistributedDataParallel(model): pass

Decisive differences
  find_unused_parameters: True in the first, False in the second
      gives the first the outcome of the second
  kind of regions layer1.0, layer1.1, layer1.2, layer2.0 and 12 more: reentrant in the first, not
  checkpointed in the second
      gives the first the outcome of the second
)");
  std::string json = to_json(compare(failing(), second));
  CHECK_THAT(json, Catch::Matchers::Contains("\"schema\": \"gradscan-comparison/1\""));
  CHECK_THAT(json, Catch::Matchers::Contains("\"decides\": true"));
}

TEST_CASE("a difference names the parameters whose gradients it costs") {
  const char* const text = R"(
    parameter dead.weight l1.weight l1.bias l2.weight l2.bias
    input x
    region l1 non_reentrant x
      h = linear x l1
    end h
    h = linear h l2
    output h)";
  Side first{tests::capture_from_text(text), {.static_graph = true}}, second = first;
  first.capture.nodes[first.capture.regions[0].begin].next[0] = {};
  second = first;
  second.capture.regions[0].kind = Kind::reentrant;
  Comparison comparison = compare(first, second);
  REQUIRE(comparison.differences.size() == 1);
  const Verdict& verdict = comparison.differences[0].verdict.value();
  CHECK(verdict.untrained == std::vector<int>{1, 2});
  auto json = nlohmann::json::parse(to_json(comparison));
  CHECK(json["differences"][0]["verdict"]["untrained"] == std::vector<std::string>{"l1.weight", "l1.bias"});
  second.setup.static_graph = false;
  CHECK_THAT(to_text(compare(first, second)), Catch::Matchers::Contains("applied to the first: SILENT not trained"));
}

}  // namespace
}  // namespace gradscan
