#include "analyzer/graph/observed.h"

#include "gradscan/edits.h"
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
