// The whole analysis on torch's engine and Reducer. Every call compares predicted with shown firings and throws if they differ.
#include "gradscan/report.h"
#include "tests/catch.h"
#include "tests/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;

TEST_CASE("the verdict of the setup asked is that of its row") {
  for (const char* name : {"once", "twice", "input_without_grad", "nested", "plain_unused"}) {
    for (const Setup& setup : {Setup{}, Setup{.find_unused_parameters = true}, Setup{.static_graph = true}}) {
      Report report = analyse(case_named(name), setup);
      REQUIRE(report.verdicts.size() == 9);
      std::size_t row = report.regions.empty() ? 6 : 0, column = setup.static_graph ? 2 : setup.find_unused_parameters ? 1 : 0;
      const Verdict& same = report.verdicts[row + column];
      CHECK(report.verdict.outcome == same.outcome);
      CHECK(report.verdict.message == same.message);
      CHECK(report.verdict.parameters == same.parameters);
    }
  }
}

TEST_CASE("non-reentrant and off are told as two rows, with the same verdicts") {
  Report report = analyse(case_named("twice"), {});
  for (std::size_t column = 0; column < 3; ++column) {
    CHECK(report.verdicts[3 + column].setup.checkpointing == Checkpointing::non_reentrant);
    CHECK(report.verdicts[6 + column].setup.checkpointing == Checkpointing::off);
    CHECK(report.verdicts[3 + column].outcome == report.verdicts[6 + column].outcome);
  }
}

TEST_CASE("errors with the words, the index and the iteration of DDP") {
  Report report = analyse(tests::resnet50(), {.find_unused_parameters = true});
  CHECK(report.verdict.outcome == Outcome::marked_ready_twice);
  CHECK(report.verdict.iteration == 0);
  CHECK(report.verdict.message.starts_with("Expected to mark a variable ready only once."));
  REQUIRE(report.verdict.parameters.size() == 1);
  CHECK(report.parameters[report.verdict.parameters[0]].name.starts_with("layer4.2."));
  CHECK(report.findings.front().groups.front().label == "layer4.2");
}

TEST_CASE("silent failures are conflicts") {
  Report report = analyse(case_named("last_bucket_twice"), {});
  CHECK(report.verdict.outcome == Outcome::pass);
  CHECK(report.verdict.unsynchronised == std::vector<int>{0, 1});
  CHECK(report.findings.front().rule == "not-averaged");
  report = analyse(case_named("input_without_grad"), {.find_unused_parameters = true});
  CHECK(report.findings.front().rule == "not-trained");
  CHECK(has_conflict(report));
}

TEST_CASE("find_unused_parameters and static_graph together") {
  Report report = analyse(case_named("once"), {.find_unused_parameters = true, .static_graph = true});
  CHECK(report.verdict.outcome == Outcome::pass);
  CHECK_FALSE(has_conflict(report));
}

TEST_CASE("a change that is offered holds when it is asked for") {
  for (const char* name : {"twice", "chain_dead_head", "input_without_grad", "tied_across_region_edge", "last_bucket_twice"}) {
    Report report = analyse(case_named(name), {});
    CAPTURE(name);
    CHECK_FALSE(report.fixes.empty());
    for (const Fix& fix : report.fixes) CHECK_FALSE(has_conflict(analyse(case_named(name), fix.setup)));
  }
}

}  // namespace
}  // namespace gradscan
