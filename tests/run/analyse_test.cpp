// The whole analysis on torch's engine and Reducer. Every call compares predicted with shown firings and throws if they differ.
#include "gradscan/analyse.h"

#include <algorithm>

#include "analyzer/graph/edits.h"
#include "gradscan/firings.h"
#include "gradscan/report.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"
#include "tests/support/truth_table.h"

namespace gradscan {
namespace {

using tests::case_named;

TEST_CASE("the verdict of the requested setup is that of its row") {
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

TEST_CASE("non-reentrant and off are two rows with the same verdicts") {
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

struct StepCause {
  std::string model;
  bool find_unused_parameters;
  TrainingStep step;
  std::string rule, title, why;  // parts of them
};

TEST_CASE("causes that only some training steps have") {
  auto [model, find_unused_parameters, step, rule, title, why] = GENERATE(values<StepCause>({
      {"once", false, {.forwards = 2}, "marked-ready-twice", "l2.bias", "Each call executes region l2 separately"},
      {"chain_dead_head", false, {.backwards = 2}, "marked-ready-twice", "head.bias", "The first leaves DDP waiting"},
      {"plain", false, {.backwards = 2}, "not-averaged", "in every iteration", "what 4 parameters get from the second on"},
      {"once", false, {.used_outside = {"l2.*"}}, "marked-ready-twice", "l2.bias", "directly, in addition to forward's result"},
      {"chain_dead_head", false, {.zero_times = {"*"}}, "marked-ready-twice", "blocks.3.bias", "The loss uses 8 parameters"},
      {"plain_unused", true, {.zero_times = {"dead.*"}}, "marked-ready-twice", "dead", "but the loss also uses them directly"},
      {"once", true, {.no_sync = 2}, "marked-ready-twice", "l2.bias", "The hooks of l2.weight (index 2) and l2.bias (index 3)"},
  }));
  Setup setup{.find_unused_parameters = find_unused_parameters, .step = step};
  Report report = analyse(case_named(model), setup);
  REQUIRE_FALSE(report.findings.empty());
  const Finding& finding = report.findings.front();
  CAPTURE(model, finding.title, finding.why);
  CHECK(finding.rule == rule);
  CHECK_THAT(finding.title, Catch::Matchers::Contains(title));
  CHECK_THAT(finding.why, Catch::Matchers::Contains(why));
}

TEST_CASE("a failing check inside DDP is explained") {
  Report report = analyse(case_named("plain"), {.static_graph = true, .step = {.no_sync = 1}});
  CHECK(report.findings.front().title == "training stops in iteration 0: an internal check of DDP fails");
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("the first backward, which runs inside no_sync()"));
}

TEST_CASE("parameters that get zeros on purpose are no silent failure") {
  Report report = analyse(case_named("chain_dead_head"), {.step = {.zero_times = {"dead.*"}}});
  CHECK(report.verdict.untrained == std::vector<int>{12, 13});
  CHECK_FALSE(has_conflict(report));
}

TEST_CASE("a graph that changes") {
  std::vector<Capture> in_turn = tests::truth_cases().at("branch").in_turn;
  in_turn[0].model = "a.pt";
  in_turn[1].model = "b.pt";
  Report report = analyse(in_turn, {});
  CHECK(report.verdict.outcome == Outcome::unfinished_reduction);
  CHECK(report.in_turn == std::vector<std::string>{"a.pt", "b.pt"});
  CHECK(find_parameter(report, "a.weight")->idle_in == std::vector<int>{1});
  CHECK(find_parameter(report, "b.weight")->idle_in == std::vector<int>{0});
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("The graph changes from one forward call to the next"));
  CHECK_THAT(report.findings.front().groups.front().reason, Catch::Matchers::Contains("the graph of a.pt does not lead to it"));
  CHECK_FALSE(has_conflict(analyse(in_turn, {.find_unused_parameters = true})));
}

TEST_CASE("regions are numbered over all graphs") {
  std::vector<Capture> in_turn{case_named("plain"), case_named("once"), case_named("last_bucket_twice")};
  in_turn[1].model = "b.pt";
  for (const Setup& setup : {Setup{}, Setup{.find_unused_parameters = true}, Setup{.step = {.forwards = 2}}}) {
    Report report = analyse(in_turn, setup);
    REQUIRE(report.regions.size() == 3);
    CHECK(report.regions[0].name == "l2 of b.pt");
    CHECK(report.regions[0].in_turn == 1);
    CHECK(report.regions[2].in_turn == 2);
    CHECK(report.regions[2].parameters == std::vector<int>{0, 1});
    CHECK_FALSE(to_text(report).empty());
    CHECK_FALSE(to_json(report).empty());
    CHECK_FALSE(to_svg(report).empty());
    CHECK_FALSE(explain(report, "0").empty());
  }
  Report report = analyse(in_turn, {.find_unused_parameters = true});
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("l1 of last_bucket_twice.pt"));
}

TEST_CASE("all regions are known if each graph's are") {
  std::vector<Capture> in_turn{case_named("plain"), case_named("plain")};
  in_turn[0].regions_known = true;
  CHECK_FALSE(analyse(in_turn, {}).regions_known);
  in_turn[1].regions_known = true;
  CHECK(analyse(in_turn, {}).regions_known);
}

TEST_CASE("a region that only a later graph has hides its parameters from DDP's search") {
  std::vector<Capture> in_turn{case_named("plain"), case_named("once")};
  Report report = analyse(in_turn, {.find_unused_parameters = true});
  CHECK(report.verdict.outcome == Outcome::marked_ready_twice);
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("the search cannot find the parameters of region l2 of"));
}

TEST_CASE("a checkpoint around the model that records nothing") {
  Capture capture = case_named("plain");
  for (Input& input : capture.inputs) input.requires_grad = false;
  Setup setup{.step = {.used_outside = {"l1.weight"}, .checkpoint_around = Kind::reentrant}};
  Report report = analyse(capture, setup);
  CHECK(has_conflict(report));
  for (const Finding& finding : report.findings)
    if (finding.severity != Severity::note)
      CHECK_THAT(finding.why, Catch::Matchers::Contains("gets no tensor that requires grad"));
  setup.step.used_outside.clear();
  report = analyse(capture, setup);
  CHECK(report.verdict.outcome == Outcome::other);
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("gets no tensor that requires grad"));
}

TEST_CASE("what the loss uses before DDP listens is neither a mark nor too late") {
  Setup setup{.step = {.used_outside = {"l1.*"}, .checkpoint_around = Kind::reentrant}};
  Report report = analyse(case_named("plain"), setup);
  CHECK(report.verdict.outcome == Outcome::pass);
  CHECK_FALSE(report.verdict.last_mark);
  CHECK(find_parameter(report, "l1.weight")->ready_marks.defaults == 1);
  CHECK(find_parameter(report, "l1.weight")->fired_by == std::vector<Cause>{around_model, outer_graph});
}

TEST_CASE("a checkpoint around the model passes on a parameter inside an object") {
  Capture capture = case_named("raw_parameter_returned");
  for (Output& output : capture.outputs) output.direct = output.found_by_ddp = output.behind_sink = false;
  Report report = analyse(capture, {.step = {.checkpoint_around = Kind::reentrant}});
  CHECK(find_parameter(report, "b")->fired_by == std::vector<Cause>{outer_graph});
  CHECK(find_parameter(report, "l1.weight")->fired_by.empty());
}

TEST_CASE("static_graph and a dataclass") {
  Capture capture = case_named("plain");
  capture.outputs[0].behind_sink = capture.outputs[0].direct = false;
  Report report = analyse(capture, {.static_graph = true});
  CHECK(report.findings.front().rule == "not-averaged");
  CHECK_THAT(report.findings.front().why, Catch::Matchers::Contains("not inside the dataclass returned here"));
}

TEST_CASE("several firings in one region, of which only later ones are too late") {
  Report report = analyse(case_named("first_layer_inside_and_outside"), {.step = {.forwards = 2}});
  for (const Finding& finding : report.findings)
    for (const Group& group : finding.groups) CHECK(group.reason.find("calls 1 and 1") == std::string::npos);
}

TEST_CASE("an offered change holds when it is requested") {
  int offered = 0;
  for (const auto& [name, training] : tests::truth_cases())
    for (bool find_unused_parameters : {false, true}) {
      Report report = analyse(training.in_turn, {.find_unused_parameters = find_unused_parameters, .step = training.step});
      CAPTURE(name, find_unused_parameters);
      CHECK(report.fixes.empty() != has_conflict(report));
      for (const Fix& fix : report.fixes) {
        CAPTURE(fix.change);
        CHECK_FALSE(has_conflict(analyse(edited(training.in_turn, fix.edits), fix.setup)));
        ++offered;
      }
    }
  CHECK(offered > 400);
}

TEST_CASE("candidates that a graph in turn repairs or breaks") {
  std::vector<Capture> in_turn = tests::truth_cases().at("branch").in_turn;
  Report report = analyse(in_turn, {});
  CHECK(report.fixes.at(0).options == "--find-unused-parameters");
  auto is_it = [&](const NoHelp& no_help) { return no_help.change == "DistributedDataParallel(model, static_graph=True)"; };
  CHECK(std::any_of(report.no_help.begin(), report.no_help.end(), is_it));
}

TEST_CASE("static_graph is offered with a caveat about no_sync") {
  Report report = analyse(case_named("once"), {.find_unused_parameters = true});
  REQUIRE(report.fixes.at(1).setup.static_graph);
  CHECK_THAT(report.fixes[1].caveats.back(), Catch::Matchers::StartsWith("not if gradients are accumulated in no_sync()"));
}

TEST_CASE("every setup has its own report, without fixes") {
  Report report = analyse(case_named("once"), {.find_unused_parameters = true}, {.every_setup = true});
  REQUIRE(report.setups.size() == report.verdicts.size());
  for (std::size_t row = 0; row < report.setups.size(); ++row) {
    const Report& each = report.setups[row];
    CHECK(each.setup.checkpointing == report.verdicts[row].setup.checkpointing);
    CHECK(each.verdict.outcome == report.verdicts[row].outcome);
    CHECK(has_conflict(each) == (row == 1));
    CHECK(each.fixes.empty());
    CHECK(each.verdicts.size() == report.verdicts.size());
  }
  CHECK(analyse(case_named("once"), {}).setups.empty());
}

}  // namespace
}  // namespace gradscan
