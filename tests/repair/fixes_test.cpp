#include "analyzer/repair/fixes.h"

#include <algorithm>

#include "gradscan/writers.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;
using tests::report_from_marks;
using Strings = std::vector<std::string>;

Strings options_of(const Report& report) {
  Strings options;
  for (const Fix& fix : report.fixes) options.push_back(fix.options);
  return options;
}

const Fix& fix_with(const Report& report, const std::string& options) {
  auto found = std::find_if(report.fixes.begin(), report.fixes.end(), [&](const Fix& fix) { return fix.options == options; });
  if (found == report.fixes.end()) throw std::invalid_argument("no fix " + options);
  return *found;
}

std::string reason_against(const Report& report, const std::string& change) {
  for (const NoHelp& no_help : report.no_help)
    if (no_help.change == change) return no_help.reason;
  return "";
}

TEST_CASE("smaller changes come first") {
  Report report = report_from_marks(case_named("once"), {.find_unused_parameters = true});
  CHECK(options_of(report) == Strings{"--no-find-unused-parameters", "--no-find-unused-parameters --static-graph",
                                      "--checkpointing non-reentrant", "--checkpointing off"});
  CHECK(report.fixes[0].change == "DistributedDataParallel(model)");
  CHECK(report.fixes[2].change == "checkpoint(..., use_reentrant=False)");
  CHECK(report.fixes[2].setup.find_unused_parameters);
}

TEST_CASE("a fix says what one iteration cannot show") {
  Report report = report_from_marks(case_named("once"), {.find_unused_parameters = true});
  CHECK(report.fixes[0].caveats == Strings{"only if every parameter gets a gradient in every iteration"});
  CHECK(report.fixes[1].caveats.at(0) == "only if every iteration runs the same graph");
  CHECK(report.fixes[2].caveats.empty());
}

TEST_CASE("flags and kind change together only where one does not help") {
  Report report = report_from_marks(case_named("chain_dead_head"));
  CHECK(options_of(report) == Strings{"--static-graph", "--freeze 'dead.*'", "--zero-times 'dead.*'", "--ignore 'dead.*'",
                                      "--checkpointing non-reentrant --find-unused-parameters",
                                      "--checkpointing off --find-unused-parameters"});
}

TEST_CASE("dead parameters are told by their names") {
  Report report = report_from_marks(case_named("chain_dead_head"));
  const Fix& frozen = fix_with(report, "--freeze 'dead.*'");
  CHECK(frozen.change == "requires_grad_(False) for dead.*, or a model without them");
  CHECK(frozen.edits.freeze == Strings{"dead.*"});
  CHECK(fix_with(report, "--zero-times 'dead.*'").setup.step.zero_times == Strings{"dead.*"});
  CHECK(fix_with(report, "--ignore 'dead.*'").edits.ignore == Strings{"dead.*"});
}

TEST_CASE("what is done for dead parameters may need DDP's defaults") {
  Report report = report_from_marks(case_named("chain_dead_head"), {.find_unused_parameters = true});
  CHECK(options_of(report).at(1) == "--freeze 'dead.*' --no-find-unused-parameters");
  CHECK(reason_against(report, "requires_grad_(False) for dead.*, or a model without them").empty());
  CHECK_FALSE(
      has_conflict(report_from_marks(edited(case_named("chain_dead_head"), report.fixes[1].edits), report.fixes[1].setup)));
}

TEST_CASE("an input of a region that is lost is made to require grad") {
  Report report = report_from_marks(case_named("input_without_grad"));
  CHECK(options_of(report) == Strings{"--require-grad l1", "--checkpointing non-reentrant", "--checkpointing off"});
  CHECK(report.fixes[0].edits.require_grad == Strings{"l1"});
  CHECK_THAT(report.fixes[0].change, Catch::Matchers::Contains("region l1 (argument 0)"));
  CHECK(reason_against(report, "DistributedDataParallel(model, find_unused_parameters=True)") ==
        "l1.weight (index 0) and l1.bias (index 1) never get a gradient, and DDP says nothing");
}

TEST_CASE("without regions only flags and parameters are changed") {
  Report report = report_from_marks(case_named("plain_unused"));
  CHECK(options_of(report) == Strings{"--find-unused-parameters", "--static-graph", "--freeze 'dead.*'",
                                      "--zero-times 'dead.*'", "--ignore 'dead.*'"});
}

const char* const tied_in_two_regions = R"(
  parameter l0.weight l0.bias shared.weight shared.bias other.weight other.bias
  input x
  h = linear x l0
  region first[0] reentrant h
    h = linear h shared
  end h
  region middle reentrant h
    h = linear h other
  end h
  region last reentrant h
    h = linear h shared
  end h
  output h)";

TEST_CASE("the smallest set of regions is named, and its names are no patterns") {
  Report report = report_from_marks(tests::capture_from_text(tied_in_two_regions));
  const Fix& fix = fix_with(report, "--checkpoint 'first\\[0\\]=non-reentrant' --checkpoint last=non-reentrant");
  CHECK(fix.change == "checkpoint(..., use_reentrant=False) for first[0] and last only");
  CHECK(fix.edits.checkpoint.at(0).glob == "first\\[0\\]");
  CHECK(report.fixes.back().options == "--checkpointing off");
}

TEST_CASE("where a kind was asked for all regions, the others are given it by name") {
  Capture capture = tests::capture_from_text(tied_in_two_regions);
  for (Region& region : capture.regions) region.kind = Kind::off;
  Report report = report_from_marks(capture, {.checkpointing = Checkpointing::reentrant});
  const Fix& fix = fix_with(report,
                            "--checkpointing as-given --checkpoint 'first\\[0\\]=reentrant' --checkpoint middle=reentrant "
                            "--checkpoint last=reentrant --checkpoint 'first\\[0\\]=off' --checkpoint last=off");
  Capture changed = edited(capture, fix.edits);
  CHECK(changed.regions[0].kind == Kind::off);
  CHECK(changed.regions[1].kind == Kind::reentrant);
  CHECK(fix.setup.checkpointing == Checkpointing::as_given);
}

TEST_CASE("an unusual step is undone, one thing at a time") {
  TrainingStep step{.forwards = 2, .used_outside = {"l1.*"}};
  Report report = report_from_marks(case_named("once"), {.find_unused_parameters = true, .step = step});
  CHECK_FALSE(reason_against(report, "one forward call per loss instead of 2").empty());
  CHECK_FALSE(reason_against(report, "a loss that uses l1.* only through forward").empty());
  report = report_from_marks(case_named("once"), {.step = {.forwards = 2}});
  CHECK(fix_with(report, "--forwards 1").setup.step.forwards == 1);
}

TEST_CASE("everything is undone at once where nothing else helps") {
  TrainingStep step{.used_outside = {"l2.*"}, .checkpoint_around = Kind::reentrant};
  Report report = report_from_marks(case_named("twice"), {.find_unused_parameters = true, .step = step});
  REQUIRE_FALSE(report.fixes.empty());
  for (const Fix& fix : report.fixes)
    CHECK_FALSE(has_conflict(report_from_marks(edited(case_named("twice"), fix.edits), fix.setup)));
}

TEST_CASE("what does not help is told with the reason") {
  Report report = report_from_marks(case_named("chain_dead_head"));
  CHECK(reason_against(report, "DistributedDataParallel(model, find_unused_parameters=True)") ==
        "blocks.3.bias (index 9) is marked ready twice in iteration 0");
  CHECK(reason_against(report, "0.0 times the sum of all parameters added to the loss") ==
        "blocks.3.bias (index 9) is marked ready twice in iteration 0");
  CHECK(reason_against(report, "a smaller batch") == "the graph does not depend on the batch size");
  report = report_from_marks(case_named("twice"));
  CHECK(reason_against(report, "_set_params_and_buffers_to_ignore_for_model(model, names) for l2.*") ==
        "DDP then never averages their gradients, and every rank trains them on its own");
}

TEST_CASE("a smaller batch is told with its memory") {
  Report report = report_from_marks(case_named("twice"));
  report.no_help.clear();
  report.price = {.outside = 3 << 20, .largest = 5 << 20};
  add_smaller_batch(report);
  CHECK(reason_against(report, "a smaller batch") ==
        "the graph does not depend on the batch size; half the batch needs up to 4 MiB of activations instead of 8 MiB");
}

TEST_CASE("LayerDrop is told where the graph has to stay the same") {
  Report report = report_from_marks(case_named("once"), {.find_unused_parameters = true});
  report.varying = {"encoder has layerdrop=0.1"};
  Capture capture = case_named("once");
  Candidates candidates(std::span(&capture, 1), report);
  CHECK(candidates.with_flags({.static_graph = true}).caveats.at(0) ==
        "only if every iteration runs the same graph; here, encoder has layerdrop=0.1");
}

TEST_CASE("nothing is changed where nothing is wrong") {
  Report report = report_from_marks(case_named("once"));
  CHECK(report.fixes.empty());
  CHECK(report.no_help.empty());
}

TEST_CASE("regions that not every graph has cannot be named on the command line") {
  Capture with = tests::capture_from_text(tied_in_two_regions), without = with;
  without.regions.clear();
  for (Node& node : without.nodes)
    if (node.role == Role::region_begin || node.role == Role::region_end) node.role = Role::operation;
  Report report = report_from_marks(with);
  for (const auto& [in_turn, is_told] : {std::pair{std::vector{without, with}, false}, {std::vector{with}, true}}) {
    std::optional<Candidate> candidate = Candidates(in_turn, report).regions_of_kind(Kind::off);
    REQUIRE(candidate);
    CHECK(candidate->options.empty() != is_told);
    CHECK(candidate->edits.checkpoint.size() == 2);
  }
}

TEST_CASE("a fix without options is told by its number") {
  Report report = report_from_marks(case_named("input_without_grad"));
  CHECK_THAT(to_text(report), Catch::Matchers::Contains("to check: --fix 1, or add --require-grad l1\n"));
  report.fixes[0].options.clear();
  CHECK_THAT(to_text(report), Catch::Matchers::Contains("to check: --fix 1\n"));
  CHECK_THAT(to_json(report), Catch::Matchers::Contains("\"options\": \"\""));
}

}  // namespace
}  // namespace gradscan
