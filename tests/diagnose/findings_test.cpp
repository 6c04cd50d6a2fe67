#include "analyzer/diagnose/findings.h"

#include <algorithm>
#include <set>

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::capture_from_text;
using tests::case_named;
using tests::report_from_marks;
using tests::verdict_from_marks;

constexpr Setup defaults;
constexpr Setup find_unused{.find_unused_parameters = true};
constexpr Setup static_graph{.static_graph = true};

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// All parameters of a finding; fails if one is in two groups.
std::set<int> parameters_of(const Finding& finding) {
  std::set<int> parameters;
  for (const Group& group : finding.groups)
    for (int index : group.parameters) CHECK(parameters.insert(index).second);
  return parameters;
}

struct Expected {
  std::string model;
  Setup setup;
  std::string rule;
  Severity severity;
  std::set<int> parameters;
  std::string why;  // part of the sentence that tells this cause from the others
};

TEST_CASE("each cause is told by the sentence that is true for it") {
  auto [model, setup, rule, severity, parameters, why] = GENERATE(values<Expected>({
      {"once",
       find_unused,
       "marked-ready-twice",
       Severity::error,
       {2, 3},
       "the search cannot find the parameters of region l2"},
      {"twice",
       defaults,
       "marked-ready-twice",
       Severity::error,
       {2, 3},
       "each is used in more than one reentrant region (l2, calls 1 and 2)"},
      {"inside_and_outside",
       defaults,
       "marked-ready-twice",
       Severity::error,
       {2, 3},
       "inside the reentrant region l2 and outside it"},
      {"tied_across_region_edge",
       defaults,
       "marked-ready-twice",
       Severity::error,
       {0},
       "one tensor under several names, fires twice"},
      {"nested", find_unused, "marked-ready-twice", Severity::error, {2, 3, 4, 5}, "the other mark is DDP's own"},
      {"raw_parameter_returned", find_unused, "marked-ready-twice", Severity::error, {0}, "A parameter has no backward node"},
      {"custom_object_returned", find_unused, "marked-ready-twice", Severity::error, {0, 1, 2, 3}, "It finds none"},
      {"plain_unused",
       defaults,
       "unfinished-reduction",
       Severity::error,
       {4, 5},
       "Nothing that forward returns leads back to dead.weight"},
      {"one_output_unused",
       defaults,
       "unfinished-reduction",
       Severity::error,
       {2, 3},
       "nothing computed from them leads to the loss"},
      {"one_output_unused",
       static_graph,
       "unfinished-reduction",
       Severity::error,
       {2, 3},
       "DDP's sink, a node that it attaches to forward's result"},
      {"region_output_unused",
       defaults,
       "unfinished-reduction",
       Severity::error,
       {2, 3},
       "nothing computed from them leads to the loss"},
      {"input_without_grad",
       defaults,
       "unfinished-reduction",
       Severity::error,
       {0, 1},
       "its only direct tensor argument does not require grad"},
      {"input_without_grad",
       find_unused,
       "not-trained",
       Severity::silent,
       {0, 1},
       "Backward never executes the reentrant region l1"},
      {"frozen_stem_detached_input",
       static_graph,
       "not-trained",
       Severity::silent,
       {0, 1, 2, 3, 4, 5, 6, 7},
       "The same is true of 3 further regions"},
      {"plain_unused", find_unused, "not-trained", Severity::note, {4, 5}, "Nothing that forward returns leads back to"},
  }));
  CAPTURE(model, ddp_call(setup));
  Report report = report_from_marks(case_named(model), setup);
  REQUIRE_FALSE(report.findings.empty());
  const Finding& finding = report.findings.front();
  CHECK(finding.rule == rule);
  CHECK(finding.severity == severity);
  CHECK(parameters_of(finding) == parameters);
  INFO(finding.why);
  CHECK(says(finding.why, why));
}

TEST_CASE("a model in which nothing is wrong has no conflict") {
  Report report = report_from_marks(case_named("once"));
  CHECK(report.findings.empty());
  CHECK_FALSE(has_conflict(report));
  CHECK(report.fixes.empty());
}

TEST_CASE("parameters that the loss does not need are no conflict where DDP is told so") {
  CHECK(has_conflict(report_from_marks(case_named("plain_unused"), defaults)));
  CHECK_FALSE(has_conflict(report_from_marks(case_named("plain_unused"), find_unused)));
}

TEST_CASE("gradients that stay local are a silent failure") {
  Report report = report_from_marks(case_named("last_bucket_twice"), tests::last_bucket_twice_not_averaged());
  REQUIRE(has_conflict(report));
  const Finding& finding = report.findings.front();
  CHECK(finding.rule == "not-averaged");
  CHECK(finding.severity == Severity::silent);
  CHECK(parameters_of(finding) == std::set<int>{0, 1});
  CHECK(says(finding.title, "differ between the ranks in every iteration"));
  CHECK(says(finding.why, "the last first mark, that of l1.weight in region l1, call 2, falls inside the inner backward"));
  CHECK(says(finding.why, "after that, from region l1, call 1, stays local to each rank (bucket 1 of 1)"));
}

TEST_CASE("static_graph and a forward in whose result DDP finds nothing") {
  Verdict verdict;
  verdict.setup = static_graph;
  verdict.unsynchronised = {0, 1, 2, 3};
  Report report = report_from_marks(case_named("custom_object_returned"), verdict);
  CHECK(says(report.findings.front().why, "It finds none there"));
}

TEST_CASE("a gradient of zeros is told apart from none") {
  Verdict verdict;
  verdict.untrained = {4, 5};
  Report report = report_from_marks(case_named("region_two_outputs_one_used"), verdict);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().severity == Severity::note);
  CHECK(says(report.findings.front().why, "but the gradient is zero"));
}

TEST_CASE("outputs inside a dict cut a reentrant region off") {
  Report report = report_from_marks(capture_from_text(R"(
    parameter l1.weight l1.bias l2.weight l2.bias l3.weight l3.bias
    input x
    h = linear x l1
    g = linear h l3
    region l2 reentrant h
      h = linear h l2
    end {h}
    h = add h g
    output h
  )"));
  const Finding& finding = report.findings.front();
  CHECK(parameters_of(finding) == std::set<int>{2, 3});
  CHECK(says(finding.why, "inside a dict or list"));
}

TEST_CASE("an error of backward itself") {
  Verdict verdict;
  verdict.outcome = Outcome::other;
  verdict.iteration = 0;
  verdict.message = "Trying to backward through the graph a second time (or directly access saved tensors ...). Saved ...";
  Report report = report_from_marks(case_named("once"), verdict);
  const Finding& finding = report.findings.front();
  CHECK(finding.rule == "other-error");
  CHECK(says(finding.why, "not among the region's arguments"));
}

TEST_CASE("a closure that stops backward is told with its region, its tensor and what helps") {
  Verdict verdict;
  verdict.outcome = Outcome::other;
  verdict.iteration = 0;
  verdict.message = "Trying to backward through the graph a second time (or directly access saved tensors ...). Saved ...";
  Capture capture = capture_from_text(
      "parameter l1.weight l1.bias l2.weight l2.bias\ninput x\nh = linear x l1\nregion f reentrant x\n"
      "y = linear x l2\ny = add y h\nend y\nz = add y h\noutput z");
  int addmm = 6;
  REQUIRE(capture.nodes[addmm].op == "addmm");
  capture.nodes[addmm].module = "l1";
  capture.nodes[addmm].source = "model.py:10";
  Report report = report_from_marks(capture, verdict);
  REQUIRE(report.regions[0].closures.size() == 1);
  const std::string& why = report.findings.front().why;
  CHECK(says(why,
             "The function of the reentrant region f uses a tensor made outside by l1 at model.py:10 (addmm), without taking "
             "it as an argument."));
  CHECK(says(why, "the inner backward of region f and the outer backward reach l1 at model.py:10 (addmm)"));
  CHECK(says(why, "Pass the tensor to the checkpointed function as an argument"));
}

TEST_CASE("parameters that fire because of a closure say so") {
  Report report = report_from_marks(capture_from_text(R"(
    parameter positions l1.weight l1.bias l2.weight l2.bias
    input x
    p = view positions
    region a reentrant x
      x = linear x l1
      x = add x p
    end x
    region b reentrant x
      x = linear x l2
      x = add x p
    end x
    output x
  )"));
  REQUIRE(report.findings.front().rule == "marked-ready-twice");
  CHECK(parameters_of(report.findings.front()) == std::set<int>{0});
  CHECK(says(report.findings.front().why, "The functions of the reentrant regions a and b use a tensor made outside by view"));
  CHECK_FALSE(report.second_run);
}

TEST_CASE("an activation whose gradient would come through a region that is not executed") {
  Capture capture = capture_from_text(
      "parameter l1.weight l1.bias l2.weight l2.bias\ninput x\nh = linear x l1\nd = detach x\nregion f reentrant d\n"
      "y = linear d l2\ny = mul y h\nend y\nz = add h y\noutput z");
  Report report = report_from_marks(capture, find_unused);
  CHECK(report.parameters[0].lost_in == 0);
  std::set<int> partly;
  for (const Finding& finding : report.findings)
    if (says(finding.title, "only part of the gradient")) partly = parameters_of(finding);
  CHECK(partly == std::set<int>{0, 1});
}

TEST_CASE("a file without regions says so, and not that there is no checkpointing") {
  Report report = report_from_marks(case_named("plain"));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().rule == "no-regions-named");
  CHECK(report.findings.front().title == "This file names no checkpoint regions");
  CHECK_FALSE(has_conflict(report));
}

TEST_CASE("where all regions are known, it is no news that there are none") {
  Capture capture = case_named("plain");
  capture.regions_known = true;
  CHECK(report_from_marks(capture).findings.empty());
}

TEST_CASE("equal neighbours are folded, but for the one that DDP names") {
  Report report = report_from_marks(tests::resnet50(), find_unused);
  const Finding& finding = report.findings.front();
  CHECK(parameters_of(finding).size() == 156);
  std::vector<std::string> labels;
  for (const Group& group : finding.groups) labels.push_back(group.label);
  CHECK(labels == std::vector<std::string>{"layer4.2", "layer4.1", "layer4.0", "layer3.1 … layer3.5", "layer3.0",
                                           "layer2.1 … layer2.3", "layer2.0", "layer1.1 … layer1.2", "layer1.0"});
  const Group& folded = finding.groups[3];
  CHECK(folded.folded == 5);
  CHECK(folded.regions == std::vector<int>{8, 9, 10, 11, 12});
  CHECK(folded.parameters.size() == 45);
  CHECK(folded.members.size() == 9);
  CHECK(folded.firings == 1);
  CHECK(folded.ready_marks == 2);
}

TEST_CASE("24,000 parameters in conflict take no quadratic time") {
  std::string parameters = "parameter", body = "input x\nh = view x\n";
  for (int block = 0; block < 2000; ++block) {
    std::string name = "blocks." + std::to_string(block), operation = "h = mul h";
    for (int k = 0; k < 12; ++k)
      operation += " " + name + ".p" + std::to_string(k), parameters += " " + name + ".p" + std::to_string(k);
    body += "region " + name + " reentrant h\n" + operation + "\nend h\n";
  }
  Report report = report_from_marks(capture_from_text(parameters + "\n" + body + "output h\n"), find_unused);
  const Finding& finding = report.findings.front();
  CHECK(parameters_of(finding).size() == 24000);
  CHECK(finding.groups.size() == 2);
  CHECK(finding.groups.back().label == "blocks.0 … blocks.1998");
}

TEST_CASE("a parameter of a region that is not executed gets only a part of its gradient, though it fires elsewhere") {
  Capture capture = capture_from_text(
      "parameter e.weight\ninput x\nids = detach x\nregion emb reentrant ids\nh = embedding ids e.weight\nend h\n"
      "y = mm h e.weight\noutput y");
  Report report = report_from_marks(capture, defaults);
  REQUIRE(report.verdict.outcome == Outcome::pass);
  CHECK(has_conflict(report));
  REQUIRE(!report.findings.empty());
  CHECK(report.findings[0].rule == "not-trained");
  CHECK(says(report.findings[0].title, "e.weight (index 0) gets only part of the gradient"));
  CHECK(parameters_of(report.findings[0]) == std::set<int>{0});
}

}  // namespace
}  // namespace gradscan
