#include "analyzer/graph/observed.h"

#include "gradscan/edits.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

using namespace gradscan;
using tests::case_named;

namespace {

// The case "twice": l1 fires in the outer backward, l2 in two inner ones.
Capture observed(std::vector<ObservedFiring> firings) {
  Capture capture = case_named("twice");
  capture.observed = {.made = true, .firings = std::move(firings)};
  return capture;
}

const std::vector<ObservedFiring> as_predicted{{2, 1}, {3, 1}, {2, 2}, {3, 2}, {0, 0}, {1, 0}};

}  // namespace

TEST_CASE("an observation that agrees with the graph is no disagreement") {
  CHECK(disagreements(observed(as_predicted)).empty());
  CHECK(disagreements(case_named("twice")).empty());
}

TEST_CASE("a firing more, or in another kind of pass, is a disagreement") {
  std::vector<ObservedFiring> more = as_predicted, elsewhere = as_predicted;
  more.push_back({0, 3});
  CHECK(disagreements(observed(more)) == std::vector<Disagreement>{{"l1.weight", 1, 2, 0, 1}});
  elsewhere.back().pass = 1;
  CHECK(disagreements(observed(elsewhere)) == std::vector<Disagreement>{{"l1.bias", 1, 1, 0, 1}});
  CHECK(disagreements(observed({})).size() == 4);
}

TEST_CASE("a run of a model whose graphs differ may take any of them") {
  Capture capture = observed({{0, 0}, {1, 0}});
  CHECK(disagreements(capture).size() == 2);
  capture.further = {
      tests::capture_from_text("parameter l1.weight l1.bias l2.weight l2.bias\ninput x\nx = linear x l1\noutput x")};
  CHECK(disagreements(capture).empty());
  capture.observed.firings.pop_back();
  CHECK(disagreements(capture).empty());
  CHECK(ran_another_graph(capture));
  capture.observed.firings.push_back({0, 1});
  CHECK_FALSE(disagreements(capture).empty());
  CHECK_FALSE(ran_another_graph(capture));
}

TEST_CASE("an error is unexplained unless the graph predicts one") {
  Capture twice = observed({}), lost = case_named("input_without_grad");
  twice.observed.error = lost.observed.error = "element 0 of tensors does not require grad";
  lost.observed.made = true;
  CHECK(unexplained_error(twice) == twice.observed.error);
  CHECK(unexplained_error(lost) == lost.observed.error);
  lost.outputs.front().edge = {};
  CHECK(unexplained_error(lost).empty());
  Capture closure = tests::capture_from_text(
      "parameter a b\ninput x\nk = mul x a\nregion r reentrant x\nh = mul x k\nend h\nh = mul h k\noutput h");
  closure.observed = {.made = true, .error = "Trying to backward through the graph a second time"};
  CHECK(unexplained_error(closure).empty());
}

TEST_CASE("an unexplained error is kept when the graph changes") {
  Capture capture = observed({});
  capture.observed.error = "boom";
  const Capture changed = edited(capture, {.freeze = {"l2.*"}});
  CHECK(changed.observed.error.empty());
  CHECK(unexplained_error(changed) == "boom");
}

TEST_CASE("nothing is compared where there was no backward, or one that failed") {
  Capture capture = observed({});
  capture.observed.reason = "verify=False";
  CHECK(disagreements(capture).empty());
  capture.observed = {.made = true, .error = "CUDA out of memory"};
  CHECK(disagreements(capture).empty());
}

TEST_CASE("a change to the graph keeps what was observed before it") {
  std::vector<ObservedFiring> more = as_predicted;
  more.push_back({0, 3});
  const Capture changed = edited(observed(more), {.freeze = {"l2.*"}});
  CHECK_FALSE(changed.observed.made);
  CHECK(disagreements(changed) == disagreements(observed(more)));
  CHECK(disagreements(edited(observed(as_predicted), {.freeze = {"l2.*"}})).empty());
}
