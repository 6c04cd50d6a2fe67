#include "analyzer/replay/observations.h"

#include "gradscan/firings.h"
#include "tests/support/catch.h"

using namespace gradscan;
using Indices = std::vector<int>;

namespace {

Verdict verdict_of(const Observations& observations) {
  Verdict verdict;
  observations.fill(verdict);
  return verdict;
}

}  // namespace

TEST_CASE("gradients that the ranks share and that train leave nothing to say") {
  Observations observations(2);
  observations.add_firing({0, outer_graph}, Hearing::listens);
  observations.add_firing({1, outer_graph}, Hearing::listens);
  observations.end_iteration({1, 2}, {1, 2});
  Verdict verdict = verdict_of(observations);
  CHECK(verdict.clean());
  CHECK(verdict.local.empty());
  CHECK_FALSE(verdict.last_mark);
  CHECK(observations.causes() == std::vector<Causes>{{{outer_graph}, {outer_graph}}});
}

TEST_CASE("a parameter is untrained if no iteration gives it a gradient other than zero") {
  Observations observations(3);
  observations.end_iteration({0, 0, 4}, {0, 0, 4});
  observations.begin_iteration();
  observations.end_iteration({5, 0, 0}, {5, 0, 0});
  CHECK(verdict_of(observations).untrained == Indices{1});
  CHECK(verdict_of(observations).unsynchronised.empty());
}

TEST_CASE("a firing after the reduction stays local, and the last mark before it is told") {
  Observations observations(2);
  observations.end_iteration({1, 1}, {1, 1});
  observations.begin_iteration();
  observations.add_firing({1, outer_graph}, Hearing::listens);
  observations.add_firing({0, 4}, Hearing::listens);
  observations.add_firing({1, 4}, Hearing::listens);  // its second mark
  observations.add_firing({1, 3}, Hearing::finished);
  observations.end_iteration({1, 3}, {1, 1});
  observations.begin_iteration();
  observations.add_firing({1, 2}, Hearing::finished);
  observations.end_iteration({1, 3}, {1, 1});
  Verdict verdict = verdict_of(observations);
  CHECK(verdict.unsynchronised == Indices{1});
  REQUIRE(verdict.local.size() == 1);
  CHECK(verdict.local[0].parameter == 1);
  CHECK(verdict.local[0].iterations == Indices{1, 2});
  CHECK(verdict.local[0].late == std::vector<Cause>{3});
  REQUIRE(verdict.last_mark);
  CHECK(verdict.last_mark->parameter == 0);
  CHECK(verdict.last_mark->cause == 4);
  CHECK(observations.causes().at(1) == Causes{{4}, {outer_graph, 3, 4}});
}

TEST_CASE("local gradients are told in ascending order, a bucket that was never reduced without late firings") {
  Observations observations(3);
  observations.end_iteration({1, 1, 2}, {1, 1, 0});
  observations.begin_iteration();
  observations.end_iteration({2, 1, 1}, {0, 1, 1});
  Verdict verdict = verdict_of(observations);
  CHECK(verdict.unsynchronised == Indices{0, 2});
  REQUIRE(verdict.local.size() == 2);
  CHECK(verdict.local[0].late.empty());
  CHECK(verdict.local[1].iterations == Indices{0});
}
