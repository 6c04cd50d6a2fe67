#include "analyzer/review/baseline.h"

#include "analyzer/review/fingerprint.h"
#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;

namespace {

Survey survey_of_resnet50() {
  Setup setup;
  setup.find_unused_parameters = true;
  return {{{.path = "m.pt", .report = report_from_marks(resnet50(), setup), .exit_code = 1}}};
}

std::string baseline_refusal(const std::string& json) {
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

TEST_CASE("A conflict that affects other parameters is new") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  survey.files[0].report->findings[0].groups[0].parameters.pop_back();
  std::vector<std::string> sentences = apply(baseline, survey, "2026-11-24");
  CHECK(survey.files[0].exit_code == 1);
  REQUIRE(sentences.size() == 1);
  CHECK_THAT(sentences[0], Contains("is no longer found"));
}

TEST_CASE("An entry applies until its last day is over") {
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

TEST_CASE("A baseline that is written again keeps the entries of models without a report") {
  Survey survey = survey_of_resnet50();
  Baseline former = baseline_of(survey);
  former.findings.push_back({.model = "a.pt", .fingerprint = "f", .title = "t", .reason = "of another run", .expires = {}});
  former.findings.push_back({.model = "broken.pt", .fingerprint = "g", .title = "t", .reason = "waits", .expires = {}});
  former.findings.push_back({.model = "m.pt", .fingerprint = "gone", .title = "t", .reason = "r", .expires = {}});
  survey.files.push_back({.path = "broken.pt", .error = "broken.pt: is cut short: copy it again", .exit_code = 3});
  Baseline again = baseline_of(survey, former);
  REQUIRE(again.findings.size() == 3);
  CHECK(again.findings[0].reason == "of another run");
  CHECK(again.findings[1].reason == "waits");
  CHECK(again.findings[2].fingerprint == former.findings[0].fingerprint);
}

TEST_CASE("Files of the same name in two folders have their own entries") {
  Survey survey = survey_of_resnet50();
  survey.files[0].path = "a/m.pt";
  Baseline baseline = baseline_of(survey);
  CHECK(baseline.findings[0].model == "a/m.pt");
  survey.files.push_back(survey.files[0]);
  survey.files[1].path = "b/m.pt";
  CHECK(apply(baseline, survey, "2026-11-24").empty());
  CHECK(survey.files[0].exit_code == 0);
  CHECK(survey.files[1].exit_code == 1);
  CHECK(baseline_of(survey, baseline).findings.size() == 2);
}

TEST_CASE("An entry with a bare name applies in any folder, unless the path has one") {
  Survey survey = survey_of_resnet50();
  Baseline baseline = baseline_of(survey);
  baseline.findings.push_back(baseline.findings[0]);
  baseline.findings[1].model = "b/m.pt";
  baseline.findings[1].reason = "of the path";
  survey.files.push_back(survey.files[0]);
  survey.files[0].path = "a/m.pt";
  survey.files[1].path = "b/m.pt";
  CHECK(apply(baseline, survey, "2026-11-24").empty());
  CHECK(survey.files[0].report->findings[0].accepted == baseline.findings[0].reason);
  CHECK(survey.files[1].report->findings[0].accepted == "of the path");
  baseline.findings[0].fingerprint = "gone";
  CHECK(apply(baseline, survey, "2026-11-24").empty());
}

TEST_CASE("Entries of models that are not scanned stay") {
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

TEST_CASE("Errors that affect no parameter are distinguished by their message") {
  auto survey_with = [](const std::string& message) {
    Verdict verdict;
    verdict.outcome = Outcome::other;
    verdict.iteration = 0;
    verdict.message = message;
    return Survey{{{.path = "m.pt", .report = report_from_marks(case_named("once"), verdict), .exit_code = 1}}};
  };
  Survey one = survey_with("INTERNAL ASSERT FAILED: one\nsecond line"), other = survey_with("INTERNAL ASSERT FAILED: other");
  Survey same = survey_with("INTERNAL ASSERT FAILED: one\nanother second line");
  REQUIRE(one.files[0].report->findings[0].groups.empty());
  REQUIRE(one.files[0].report->findings[0].title == other.files[0].report->findings[0].title);
  Baseline baseline = baseline_of(one);
  apply(baseline, other, "2026-11-24");
  CHECK(has_conflict(*other.files[0].report));
  apply(baseline, same, "2026-11-24");
  CHECK_FALSE(has_conflict(*same.files[0].report));
}

TEST_CASE("Wrong baselines") {
  CHECK(baseline_refusal("[") == "b.json: is not a baseline: fix it, or write it again with --write-baseline");
  CHECK_THAT(baseline_refusal("{}"), Contains("is not a baseline"));
  CHECK_THAT(baseline_refusal(R"({"schema": "x"})"), Contains("is not a baseline: schema is not gradscan-baseline/1"));
  CHECK_THAT(baseline_refusal(entry("")), Contains("the entry \"t\" of m has no reason"));
  CHECK_THAT(baseline_refusal(entry(R"(, "reason": "r", "expires": "soon")")),
             Contains("has an expiry date that is not like 2027-01-31"));
  CHECK_THAT(baseline_refusal(entry(R"(, "reason": 1)")), Contains("is not a baseline: findings[0].reason is no text"));
  CHECK(baseline_refusal(entry(R"(, "reason": "r", "expires": null)")) == "accepted");
}
