#include "gradscan/error.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;
using tests::check_golden;
using tests::report_from_marks;

TEST_CASE("stories of parameters", "[golden]") {
  Report resnet50 = report_from_marks(tests::resnet50(), {.find_unused_parameters = true});
  check_golden("explain_search.txt", explain(resnet50, "layer4.2.bn3.weight"));
  check_golden("explain_tied.txt", explain(report_from_marks(case_named("tied_across_region_edge")), "last.weight"));
  check_golden("explain_untrained.txt",
               explain(report_from_marks(case_named("input_without_grad"), {.find_unused_parameters = true}), "0"));
}

TEST_CASE("a region's arguments in words") {
  Report report = report_from_marks(case_named("once"));
  auto words_for = [&](int arguments, std::vector<int> without_grad) {
    report.regions[0].arguments = arguments;
    report.regions[0].arguments_without_grad = std::move(without_grad);
    return explain(report, "l2.weight", {.width = 200});
  };
  CHECK_THAT(words_for(0, {}), Catch::Matchers::Contains("it has no direct tensor arguments"));
  CHECK_THAT(words_for(1, {}), Catch::Matchers::Contains("its direct tensor argument requires grad"));
  CHECK_THAT(words_for(1, {0}), Catch::Matchers::Contains("its direct tensor argument does not require grad"));
  CHECK_THAT(words_for(3, {0, 1, 2}), Catch::Matchers::Contains("none of its 3 direct tensor arguments requires grad"));
  CHECK_THAT(words_for(3, {0, 2}), Catch::Matchers::Contains("; 1 of its 3 direct tensor arguments requires grad"));
  CHECK_THAT(words_for(3, {2}), Catch::Matchers::Contains("2 of its 3 direct tensor arguments require grad"));
  CHECK_THAT(words_for(3, {}), Catch::Matchers::Contains("all of its 3 direct tensor arguments require grad"));
}

TEST_CASE("an index tells the same story as the name") {
  Report report = report_from_marks(tests::resnet50(), {.find_unused_parameters = true});
  CHECK(explain(report, "157") == explain(report, "layer4.2.bn3.weight"));
}

TEST_CASE("a parameter that does not exist") {
  Report report = report_from_marks(tests::resnet50());
  try {
    explain(report, "layer4.2.bn3.wieght");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    CHECK(std::string(error.what()).find("layer4.2.bn3.weight") != std::string::npos);
  }
  CHECK_THROWS_AS(explain(report, "161"), Error);
  CHECK_THROWS_AS(explain(report, "-1"), Error);
}

}  // namespace
}  // namespace gradscan
