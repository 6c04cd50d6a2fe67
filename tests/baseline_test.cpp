#include "analyzer/report/baseline.h"

#include "analyzer/report/fingerprint.h"
#include "gradscan/error.h"
#include "tests/catch.h"
#include "tests/report_fixture.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;

namespace {

Survey survey_of_resnet50() {
  Setup setup;
  setup.find_unused_parameters = true;
  return {{{.path = "m.pt", .report = report_from_marks(resnet50(), setup), .exit_code = 1}}};
}

std::string refusal(const std::string& json) {
  try {
    parse_baseline(json, "b.json");
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    return error.what();
  }
  return "accepted";
}

std::string entry(const std::string& more) {
  return R"({"schema": "gradscan-baseline/1", "findings": [{"model": "m", "rule": "r", "fingerprint": "f", "title": "t")" +
         more + "}]}";
}

}  // namespace

TEST_CASE("What a baseline accepts is no conflict") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  REQUIRE(baseline.findings.size() == 1);
  CHECK(baseline.findings[0].rule == "marked-ready-twice");
  baseline = parse_baseline(to_json(baseline), "b.json");
  CHECK(apply(baseline, survey, "2026-11-24").empty());
  CHECK(survey.files[0].exit_code == 0);
  CHECK_FALSE(has_conflict(*survey.files[0].report));
  CHECK_FALSE(survey.files[0].report->findings[0].accepted.empty());
}

TEST_CASE("A conflict that takes hold of other parameters is new") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  survey.files[0].report->findings[0].groups[0].parameters.pop_back();
  std::vector<std::string> sentences = apply(baseline, survey, "2026-11-24");
  CHECK(survey.files[0].exit_code == 1);
  REQUIRE(sentences.size() == 1);
  CHECK_THAT(sentences[0], Contains("is no longer found"));
}

TEST_CASE("An entry counts until its last day is over") {
  for (auto [today, exit_code] : {std::pair("2026-11-23", 0), {"2026-11-24", 0}, {"2026-11-25", 1}}) {
    Survey survey = survey_of_resnet50();
    Baseline baseline = baseline_of(survey);
    baseline.findings[0].expires = "2026-11-24";
    std::vector<std::string> sentences = apply(baseline, survey, today);
    CHECK(survey.files[0].exit_code == exit_code);
    CHECK(sentences.size() == static_cast<std::size_t>(exit_code));
  }
}

TEST_CASE("A baseline that is written again keeps reasons and dates") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  baseline.findings[0].reason = "waits for mmcv 2.2";
  baseline.findings[0].expires = "2027-01-31";
  Baseline again = baseline_of(survey, baseline);
  CHECK(again.findings[0].reason == "waits for mmcv 2.2");
  CHECK(again.findings[0].expires == "2027-01-31");
}

TEST_CASE("Entries of models that are not scanned are left alone") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  baseline.findings[0].model = "other.pt";
  CHECK(apply(baseline, survey, "2026-11-24").empty());
  CHECK(survey.files[0].exit_code == 1);
}

TEST_CASE("The fingerprint of a finding does not depend on lines") {
  Survey survey = survey_of_resnet50();
  Report& report = *survey.files[0].report;
  std::string before = fingerprint(report, report.findings[0]);
  for (RegionReport& region : report.regions) region.source = "elsewhere.py:1";
  CHECK(fingerprint(report, report.findings[0]) == before);
  CHECK(before.size() == 36);
  CHECK(before[14] == '5');
}

TEST_CASE("Wrong baselines") {
  CHECK(refusal("[") == "b.json: is not a baseline: write it again with --write-baseline, or mend it");
  CHECK_THAT(refusal("{}"), Contains("is not a baseline"));
  CHECK_THAT(refusal(R"({"schema": "x"})"), Contains("its schema is not gradscan-baseline/1"));
  CHECK_THAT(refusal(entry("")), Contains("the entry \"t\" of m has no reason"));
  CHECK_THAT(refusal(entry(R"(, "reason": "r", "expires": "soon")")), Contains("expires on no date"));
  CHECK_THAT(refusal(entry(R"(, "reason": 1)")), Contains("is not a baseline"));
  CHECK(refusal(entry(R"(, "reason": "r", "expires": null)")) == "accepted");
}
