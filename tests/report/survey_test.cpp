#include "analyzer/report/survey.h"

#include "tests/support/catch.h"

namespace gradscan {
namespace {

Scanned scanned(const std::string& path, std::vector<Severity> levels, int exit_code) {
  Report report;
  for (Severity severity : levels)
    report.findings.push_back({.rule = "r", .severity = severity, .title = "t", .why = "", .groups = {}});
  return {.path = path, .report = report, .exit_code = exit_code};
}

const Scanned unreadable{.path = "lost.pt", .error = "lost.pt: cannot be read", .exit_code = 3};

TEST_CASE("the exit code of a survey is the greatest") {
  CHECK(exit_code(Survey{}) == 0);
  CHECK(exit_code(Survey{{scanned("a", {}, 0)}}) == 0);
  CHECK(exit_code(Survey{{scanned("a", {}, 0), scanned("b", {Severity::silent}, 1)}}) == 1);
  CHECK(exit_code(Survey{{unreadable, scanned("b", {Severity::error}, 1)}}) == 3);
}

TEST_CASE("the worst files stand first, equals as they were given") {
  Survey survey{{scanned("clean", {}, 0), scanned("silent", {Severity::silent}, 1), scanned("note", {Severity::note}, 0),
                 unreadable, scanned("error", {Severity::note, Severity::error}, 1),
                 scanned("silent too", {Severity::silent, Severity::note}, 1)}};
  CHECK(worst_first(survey) == std::vector{3, 4, 1, 5, 0, 2});
}

TEST_CASE("what a baseline accepts does not count") {
  Scanned file = scanned("a", {Severity::error, Severity::silent}, 1);
  file.report->findings[0].accepted = "known";
  CHECK(gradscan::severity(file) == Severity::silent);
  CHECK(worst_finding(*file.report) == &file.report->findings[1]);
  file.report->findings[1].accepted = "known";
  CHECK(gradscan::severity(file) == Severity::clean);
  CHECK(worst_finding(*file.report) == nullptr);
}

}  // namespace
}  // namespace gradscan
