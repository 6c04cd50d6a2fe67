#include "gradscan/edits.h"

#include "analyzer/graph/edits.h"
#include "gradscan/error.h"
#include "gradscan/firings.h"
#include "gradscan/graph.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::capture_from_text;
using tests::case_named;

// How often each parameter that DDP manages fires in one backward.
std::vector<int> firings_of(const Capture& capture) {
  std::vector<int> counts;
  Firings firings = count_firings(capture, GradGraph(capture, Checkpointing::as_given), loss_roots(capture));
  for (const std::vector<Cause>& causes : firings.causes) counts.push_back(static_cast<int>(causes.size()));
  return counts;
}

Capture valid(Capture capture) {
  CHECK_NOTHROW(validate(capture, "edited"));
  return capture;
}

TEST_CASE("regions get other kinds by their names") {
  Capture capture = edited(tests::resnet50(), {.checkpoint = {{"layer*", Kind::off}, {"layer4.?", Kind::non_reentrant}}});
  for (const Region& region : capture.regions)
    CHECK(region.kind == (region.name.starts_with("layer4") ? Kind::non_reentrant : Kind::off));
}

TEST_CASE("a frozen parameter leaves the graph and DDP's order") {
  Capture capture = valid(edited(case_named("twice"), {.freeze = {"l2.weight"}}));
  CHECK(ddp_order(capture) == std::vector<int>{0, 1, 3});
  CHECK(firings_of(capture) == std::vector<int>{1, 1, 2});
}

TEST_CASE("a parameter that is ignored is an ordinary leaf") {
  Capture capture = valid(edited(case_named("twice"), {.ignore = {"l1.*"}}));
  CHECK(firings_of(capture) == std::vector<int>{2, 2});
  CHECK(capture.nodes[0].role == Role::leaf);
}

TEST_CASE("the input of a lost region is made to require grad") {
  Capture capture = case_named("input_without_grad");
  CHECK(firings_of(capture) == std::vector<int>{0, 0, 1, 1});
  Capture repaired = valid(edited(capture, {.require_grad = {"l1"}}));
  CHECK(firings_of(repaired) == std::vector<int>{1, 1, 1, 1});
  CHECK(repaired.nodes.size() == capture.nodes.size() + 1);
  CHECK(repaired.nodes[0].role == Role::leaf);
}

TEST_CASE("the input of a frozen region that left no graph, or of one behind it, is made to require grad") {
  Capture capture = tests::capture_from_text(R"(
    parameter l2.weight l2.bias
    data x
    region frozen reentrant x
    end x
    region frozen_too reentrant x
      x = relu x
    end x
    region l2 reentrant x
      x = linear x l2
    end x
    output x
  )");
  CHECK(firings_of(capture) == std::vector<int>{0, 0});
  for (const char* region : {"frozen", "frozen_too", "l2", "frozen*", "*"}) {
    INFO(region);
    CHECK(firings_of(valid(edited(capture, {.require_grad = {region}}))) == std::vector<int>{1, 1});
  }
}

TEST_CASE("an argument that requires grad under another kind of checkpointing keeps what is behind it") {
  Capture capture = tests::capture_from_text(R"(
    parameter l1.weight l1.bias l2.weight l2.bias
    data x
    region l1 reentrant x
      x = linear x l1
    end x
    region l2 reentrant x
      x = linear x l2
    end x
    output x
  )");
  Capture repaired = valid(edited(capture, {.require_grad = {"l2"}}));
  CHECK(firings_of(repaired) == std::vector<int>{0, 0, 1, 1});
  for (Region& region : repaired.regions) region.kind = Kind::non_reentrant;
  CHECK(firings_of(repaired) == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("what a region inside would get is not known if the capture does not say it") {
  const std::string inside = "region b reentrant x\ny = mul x v\nend y\n";
  auto outer = [&](const std::string& before, const std::string& data) {
    return capture_from_text("parameter w v\n" + data + " x\nregion a reentrant x\n" + before + inside +
                             "x = mul x w\nx = add x y\nend x\noutput x");
  };
  CHECK_THROWS_WITH(edited(outer("", "data"), {.require_grad = {"a"}}), Catch::Matchers::Contains("region b, which is inside"));
  CHECK_NOTHROW(edited(outer("", "input"), {.require_grad = {"a"}}));
  CHECK_NOTHROW(edited(outer("", "data"), {.require_grad = {"b"}}));
}

TEST_CASE("integers cannot require grad") {
  Capture capture = case_named("input_without_grad");
  capture.regions[0].argument_dtypes = {"int64"};
  CHECK(edited(capture, {.require_grad = {"l1"}}).nodes.size() == capture.nodes.size());
}

TEST_CASE("a name that is none is an error that names near ones") {
  Capture capture = case_named("twice");
  auto message_of = [&](const Edits& edits) -> std::string {
    try {
      edited(capture, edits);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message_of({.freeze = {"l1.weigth"}}) ==
        "--freeze l1.weigth: matches no parameter of twice.pt: did you mean l1.weight or l2.weight?");
  CHECK(message_of({.ignore = {"head.*"}}) == "--ignore head.*: matches no parameter of twice.pt: give its full name");
  CHECK(message_of({.require_grad = {"l3"}}) ==
        "--require-grad l3: matches no checkpoint region of twice.pt: did you mean l2?");
  CHECK(message_of({.checkpoint = {{"blocks.*"}}}) ==
        "--checkpoint blocks.*: matches no checkpoint region of twice.pt: it has l2");
}

TEST_CASE("a region need not be in every graph") {
  std::vector<Capture> in_turn{case_named("plain"), case_named("once")};
  std::vector<Capture> changed = edited(in_turn, {.checkpoint = {{"l2", Kind::off}}});
  CHECK(changed[1].regions[0].kind == Kind::off);
}

TEST_CASE("a region that has the name of a preset is a region") {
  Capture capture = case_named("once");
  capture.regions[0].name = "timm";
  CHECK(edited(capture, {.checkpoint = {{"timm", Kind::off}}}).regions[0].kind == Kind::off);
}

}  // namespace
}  // namespace gradscan
