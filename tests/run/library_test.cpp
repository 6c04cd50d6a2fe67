// gradscan as a stranger uses it: one header, one file, one question.
#include <gradscan/gradscan.h>

#include "tests/support/catch.h"

TEST_CASE("library: a training script's own test can ask before the launch") {
  gradscan::ScanOptions options;
  options.find_unused_parameters = true;
  gradscan::Report report = gradscan::scan("examples/resnet50_with_cp.pt", options);

  const gradscan::ParameterReport* weight = gradscan::find_parameter(report, "layer4.2.bn3.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->firings.reentrant == 1);
  CHECK(weight->ready_marks.find_unused_parameters == 2);
  CHECK(gradscan::find_parameter(report, "157") == weight);
  CHECK(gradscan::find_parameter(report, "layer5.conv1.weight") == nullptr);

  CHECK(gradscan::has_conflict(report));
  CHECK(report.verdict.outcome == gradscan::Outcome::marked_ready_twice);
  CHECK(report.verdict.parameters == std::vector<int>{157});
  CHECK(gradscan::to_text(report).find("layer4.2.bn3.weight") != std::string::npos);
}

TEST_CASE("library: the repaired setup is clean") {
  gradscan::ScanOptions options;
  options.static_graph = true;
  gradscan::Report report = gradscan::scan("examples/resnet50_with_cp.pt", options);
  CHECK(report.verdict.clean());
  CHECK_FALSE(gradscan::has_conflict(report));
}

TEST_CASE("library: the changed model is scanned") {
  gradscan::ScanOptions options;
  options.find_unused_parameters = true;
  options.edits.checkpoint = {{"layer*", gradscan::Kind::off}};
  options.edits.freeze = {"fc.*"};
  options.analyse.every_setup = true;
  gradscan::Report report = gradscan::scan("examples/resnet50_with_cp.pt", options);
  CHECK_FALSE(gradscan::has_conflict(report));
  CHECK(report.parameters.size() == 159);
  CHECK(report.setups.size() == report.verdicts.size());
}

TEST_CASE("library: what cannot be scanned is an exception that says what to do") {
  try {
    gradscan::scan("no such file.pt");
    FAIL("no exception");
  } catch (const gradscan::Error& error) {
    CHECK(error.failure() == gradscan::Failure::not_a_model);
    CHECK_THAT(error.what(), Catch::Matchers::StartsWith("no such file.pt: "));
    CHECK_THAT(error.what(), Catch::Matchers::Matches(".+: .+: .+"));  // file, problem, remedy
  }
}
