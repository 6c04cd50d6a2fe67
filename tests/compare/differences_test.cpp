#include "analyzer/compare/differences.h"

#include <algorithm>

#include "gradscan/firings.h"
#include "gradscan/graph.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::capture_from_text;
using tests::case_named;

std::vector<UntriedDifference> differences(const Capture& first, const Capture& second, const Setup& setup_of_first = {},
                                           const Setup& setup_of_second = {}) {
  return find_differences(with_kinds({first, setup_of_first}), with_kinds({second, setup_of_second}));
}

// "what: first / second", with "(cannot be applied)" behind.
std::vector<std::string> in_words(const std::vector<UntriedDifference>& found) {
  std::vector<std::string> lines;
  for (const UntriedDifference& each : found)
    lines.push_back(each.what + ": " + each.first + " / " + each.second + (each.apply ? "" : " (cannot be applied)"));
  return lines;
}

using Lines = std::vector<std::string>;

// The first with the only difference applied.
Side changed(const Capture& first, const Capture& second) {
  std::vector<UntriedDifference> found = differences(first, second);
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].apply);
  Side side = with_kinds({first, {}});
  found[0].apply(side);
  CHECK_NOTHROW(validate(side.capture, "changed"));
  return side;
}

std::vector<std::size_t> firings_of(const Capture& capture) {
  std::vector<std::size_t> counts;
  Firings firings = count_firings(capture, GradGraph(capture, Checkpointing::as_given), loss_roots(capture));
  for (const std::vector<Cause>& causes : firings.causes) counts.push_back(causes.size());
  return counts;
}

using Counts = std::vector<std::size_t>;

TEST_CASE("two sides that are equal have no differences") {
  CHECK(differences(tests::resnet50(), tests::resnet50()).empty());
}

TEST_CASE("flags and steps differ member by member") {
  Setup first{.find_unused_parameters = true, .step = {.forwards = 2}};
  Setup second{
      .static_graph = true, .bucket_cap_mb = 5, .step = {.used_outside = {"l2.*"}, .checkpoint_around = Kind::reentrant}};
  std::vector<UntriedDifference> found = differences(case_named("once"), case_named("once"), first, second);
  CHECK(in_words(found) == Lines{"find_unused_parameters: True / False", "static_graph: False / True",
                                 "bucket_cap_mb: default / 5 MiB", "forward calls per loss: 2 / 1",
                                 "parameters that the loss uses besides forward's result: none / l2.*",
                                 "checkpoint around the model: not checkpointed / reentrant"});
  Side side{case_named("once"), first};
  for (const UntriedDifference& each : found) each.apply(side);
  CHECK(side.setup.static_graph);
  CHECK(side.setup.step.forwards == 1);
  CHECK(side.setup.bucket_cap_mb == 5);
  CHECK(side.setup.step.checkpoint_around == Kind::reentrant);
}

TEST_CASE("a glob that the first's parameters do not match is not applied") {
  Setup second{.step = {.zero_times = {"dead.*"}}};
  CHECK(in_words(differences(case_named("plain"), case_named("plain"), {}, second)) ==
        Lines{"parameters that the loss uses times zero: none / dead.* (cannot be applied)"});
}

TEST_CASE("kinds of regions that change alike are one difference") {
  Setup off{.checkpointing = Checkpointing::off};
  std::vector<UntriedDifference> found = differences(tests::resnet50(), tests::resnet50(), {}, off);
  CHECK(in_words(found) ==
        Lines{"kind of regions layer1.0, layer1.1, layer1.2, layer2.0 and 12 more: reentrant / not checkpointed"});
  Side side = with_kinds({tests::resnet50(), {}});
  found[0].apply(side);
  CHECK(std::ranges::all_of(side.capture.regions, [](const Region& region) { return region.kind == Kind::off; }));
}

TEST_CASE("regions of one side only") {
  CHECK(in_words(differences(case_named("once"), case_named("plain"))) ==
        Lines{"kind of region l2: reentrant / no such region"});
  CHECK(in_words(differences(case_named("plain"), case_named("once"))) ==
        Lines{"kind of region l2: no such region / reentrant (cannot be applied)"});
  CHECK(in_words(differences(case_named("once"), case_named("twice"))) ==
        Lines{"calls of region l2: 1 / 2 (cannot be applied)"});
}

TEST_CASE("arguments of a region get and lose their gradient") {
  const char* const text = R"(
    parameter l1.weight l1.bias l2.weight l2.bias
    input x
    region l1 reentrant x
      h = linear x l1
    end h
    h = linear h l2
    output h)";
  Capture with = capture_from_text(text), without = case_named("input_without_grad");
  CHECK(firings_of(changed(without, with).capture) == Counts{1, 1, 1, 1});
  CHECK(firings_of(changed(with, without).capture) == Counts{0, 0, 1, 1});
}

TEST_CASE("parameters that are frozen, unused or absent") {
  Capture unused = case_named("plain_unused"), plain = case_named("plain"), frozen = case_named("plain");
  CHECK(in_words(differences(unused, plain)) == Lines{"parameters dead.weight and dead.bias: present / absent"});
  CHECK(firings_of(changed(unused, plain).capture) == Counts{1, 1, 1, 1});
  CHECK(in_words(differences(plain, unused)) ==
        Lines{"parameters dead.weight and dead.bias: absent / present (cannot be applied)"});
  frozen = edited(frozen, {.freeze = {"l1.weight"}});
  CHECK(in_words(differences(plain, frozen)) == Lines{"requires_grad of l1.weight: True / False"});
  CHECK(firings_of(changed(plain, frozen).capture) == Counts{1, 1, 1});
  CHECK(in_words(differences(frozen, plain)) == Lines{"requires_grad of l1.weight: False / True (cannot be applied)"});
}

TEST_CASE("a parameter that the loss of the second does not need") {
  const char* const head = "parameter l1.weight l1.bias l2.weight l2.bias\ninput x\n";
  Capture used = case_named("plain");
  Capture skipped = capture_from_text(std::string(head) + "h = linear x l1\nk = linear h l2\noutput k unused\noutput h");
  Capture first = capture_from_text(std::string(head) + "h = linear x l1\nh = linear h l2\noutput h");
  CHECK(in_words(differences(first, skipped)).at(0) == "whether the loss depends on l2.weight and l2.bias: True / False");
  CHECK(firings_of(changed(first, skipped).capture) == Counts{1, 1, 0, 0});
}

TEST_CASE("outputs that the loss uses or DDP does not find") {
  Capture first = case_named("plain"), second = case_named("plain");
  second.outputs[0].found_by_ddp = second.outputs[0].behind_sink = second.outputs[0].direct = false;
  CHECK(in_words(differences(first, second)) == Lines{"whether DDP finds h in forward's result: True / False"});
  CHECK_FALSE(changed(first, second).capture.outputs[0].direct);
}

TEST_CASE("parameters are shared as in the second") {
  Capture apart = capture_from_text(R"(
    parameter first.weight first.bias last.weight last.bias
    input x
    h = linear x first
    region last reentrant h
      h = linear h last
    end h
    output h)");
  Capture shared = case_named("tied_across_region_edge");
  CHECK(in_words(differences(apart, shared)) == Lines{"whether first.weight and last.weight are shared: False / True"});
  Side side = changed(apart, shared);
  CHECK(firings_of(side.capture) == firings_of(shared));
  CHECK(side.capture.parameters[0].aliases == std::vector<std::string>{"last.weight"});
  CHECK(in_words(differences(shared, apart)) ==
        Lines{"whether first.weight and last.weight are shared: True / False (cannot be applied)"});
}

TEST_CASE("a parameter that is shared keeps all of its names") {
  const char* const text = R"(
    parameter a.weight b.weight d.weight
    alias b.weight c.weight
    input x
    h = mm x a.weight
    h = mm h b.weight
    h = mm h d.weight
    output h)";
  Capture first = capture_from_text(text), second = first;
  second.parameters[0].aliases = {"b.weight", "c.weight"};
  second.parameters.erase(second.parameters.begin() + 1);
  second.nodes[1] = Node{};
  for (Node& node : second.nodes) {
    if (node.parameter == 2) node.parameter = 1;
    for (GradEdge& edge : node.next)
      if (edge.node == 1) edge.node = 0;
  }
  validate(second, "second");
  std::vector<UntriedDifference> found = differences(first, second);
  CHECK(in_words(found) == Lines{"whether a.weight and b.weight are shared: False / True",
                                 "whether a.weight and c.weight are shared: False / True"});
  Side side = with_kinds({first, {}});
  for (const UntriedDifference& each : found) each.apply(side);
  CHECK_NOTHROW(validate(side.capture, "changed"));
  CHECK(side.capture.parameters[0].aliases == std::vector<std::string>{"b.weight", "c.weight"});
  CHECK(side.capture.parameters.size() == 2);
  CHECK(firings_of(side.capture) == firings_of(second));
}

const char* const called_twice = R"(
  parameter l1.weight l1.bias l2.weight l2.bias
  input x
  region r reentrant x
    x = linear x l1
  end x
  region r reentrant x
    x = linear x l2
  end x
  output x)";

TEST_CASE("calls of one region with different kinds differ one by one") {
  Capture first = capture_from_text(called_twice), second = first;
  second.regions[1].kind = Kind::off;
  CHECK(in_words(differences(first, second)) == Lines{"kind of region r (call 2): reentrant / not checkpointed"});
  Side side = changed(first, second);
  CHECK(side.capture.regions[0].kind == Kind::reentrant);
  CHECK(side.capture.regions[1].kind == Kind::off);
  second.regions[0].kind = Kind::off;
  CHECK(in_words(differences(first, second)) == Lines{"kind of region r: reentrant / not checkpointed"});
}

TEST_CASE("arguments of a later call of a region differ") {
  const char* const apart = R"(
    parameter l1.weight l1.bias l2.weight l2.bias l3.weight l3.bias
    input x
    data y
    region r reentrant x
      h = linear x l1
    end h
    region r reentrant y
      k = linear y l2
    end k
    h = add h k
    h = linear h l3
    output h)";
  Capture lost = capture_from_text(apart);
  Capture with = capture_from_text(std::string(apart).replace(std::string(apart).find("data y"), 6, "input y"));
  CHECK(in_words(differences(lost, with)) == Lines{"arguments of region r (call 2) that require grad: none / 0"});
  CHECK(firings_of(changed(lost, with).capture) == firings_of(with));
  CHECK(firings_of(changed(with, lost).capture) == firings_of(lost));
}

}  // namespace
}  // namespace gradscan
