#include "analyzer/report/fixes.h"

#include "tests/catch.h"
#include "tests/report_fixture.h"

namespace gradscan {
namespace {

std::vector<std::string> options_of(const Report& report) {
  std::vector<std::string> options;
  for (const Fix& fix : report.fixes) options.push_back(fix.options);
  return options;
}

TEST_CASE("fixes are the clean verdicts, smaller changes first") {
  Report report = tests::report_from_marks(tests::case_named("once"), {.find_unused_parameters = true});
  CHECK(options_of(report) == std::vector<std::string>{"--no-find-unused-parameters",
                                                       "--no-find-unused-parameters --static-graph",
                                                       "--checkpointing non-reentrant", "--checkpointing off"});
  CHECK(report.fixes[0].change == "DistributedDataParallel(model)");
  CHECK(report.fixes[2].change == "checkpoint(..., use_reentrant=False)");
  CHECK(report.fixes[2].setup.find_unused_parameters);
}

TEST_CASE("a fix says what one iteration cannot show") {
  Report report = tests::report_from_marks(tests::case_named("once"), {.find_unused_parameters = true});
  CHECK(report.fixes[0].caveats == std::vector<std::string>{"only if every parameter gets a gradient in every iteration"});
  CHECK(report.fixes[1].caveats == std::vector<std::string>{"only if every iteration runs the same graph"});
  CHECK(report.fixes[2].caveats.empty());
}

TEST_CASE("flags and kind change together only where one does not help") {
  Report report = tests::report_from_marks(tests::case_named("chain_dead_head"));
  CHECK(options_of(report) == std::vector<std::string>{"--static-graph",
                                                       "--checkpointing non-reentrant --find-unused-parameters",
                                                       "--checkpointing off --find-unused-parameters"});
}

TEST_CASE("a silent failure repairs nothing") {
  Report report = tests::report_from_marks(tests::case_named("input_without_grad"));
  CHECK(options_of(report) == std::vector<std::string>{"--checkpointing non-reentrant", "--checkpointing off"});
}

TEST_CASE("without regions only flags are offered") {
  Report report = tests::report_from_marks(tests::case_named("plain_unused"));
  CHECK(options_of(report) == std::vector<std::string>{"--find-unused-parameters", "--static-graph"});
}

}  // namespace
}  // namespace gradscan
