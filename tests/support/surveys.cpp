#include "tests/support/surveys.h"

#include "tests/support/report_fixture.h"

namespace gradscan::tests {
namespace {

Scanned scanned(const std::string& path, Report report) {
  int code = has_conflict(report) ? 1 : 0;
  return {.path = path, .report = std::move(report), .exit_code = code};
}

Scanned unreadable() {
  return {.path = "models/bert.pt",
          .error = "models/bert.pt: is cut short (no zip directory): copy the file again",
          .exit_code = 3};
}

}  // namespace

Report with_places(Report report) {
  for (RegionReport& region : report.regions) {
    region.source = "resnet.py:88";
    region.place = "/home/ci/checkout/models/resnet.py:88";
  }
  return report;
}

Survey survey_of_three() {
  Survey survey;
  survey.files.push_back(scanned("models/once.pt", report_from_marks(case_named("once"))));
  survey.files.push_back(unreadable());
  survey.files.push_back(
      scanned("models/resnet50.pt", with_places(report_from_marks(resnet50(), {.find_unused_parameters = true}))));
  return survey;
}

Survey survey_of_five() {
  Survey survey = survey_of_three();
  Report silent = report_from_marks(case_named("last_bucket_twice"), last_bucket_twice_not_averaged());
  survey.files.push_back(scanned("models/last_bucket_twice.pt", std::move(silent)));
  Report accepted = report_from_marks(case_named("twice"));
  accepted.findings.front().accepted = "fixed with the next release";
  survey.files.push_back(scanned("models/twice.pt", std::move(accepted)));
  return survey;
}

}  // namespace gradscan::tests
