// One result, one severity: what each format says of a report is as bad as what the others say.
#include "analyzer/data/rules.h"
#include "analyzer/report/survey.h"
#include "gradscan/survey.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using Catch::Matchers::Contains;

namespace {

Report with_finding(Report report, const std::string& rule, Severity severity) {
  report.findings = {{rule, severity, "what happens", "why", {}}};
  return report;
}

struct Signs {
  Severity severity;
  std::string text, markdown, html, github, sarif, picture;  // how each format begins to say it
};

// Of the picture, the first line of the sign's shape.
const std::vector<Signs> all_signs{
    {Severity::error, "ERROR: what happens", "**ERROR**: what happens", "lead error", "::error ", R"("level": "error")",
     "<circle"},
    {Severity::silent, "SILENT FAILURE: what happens", "**SILENT FAILURE**: what happens", "lead silent", "::error ",
     R"("level": "error")", "<path"},
    {Severity::unknown, "UNKNOWN: what happens", "**UNKNOWN**: what happens", "lead unknown", "::warning ",
     R"("level": "warning")", "<path"},
    {Severity::note, "OK: ", ": ok", "lead pass", "::notice ", R"("level": "note")", "<circle"},
};

}  // namespace

TEST_CASE("every format shows a finding with the same severity") {
  for (const Rule& rule : rules())
    for (const Signs& signs : all_signs) {
      if (rule.outcome && signs.severity != Severity::error) continue;
      if (!rule.outcome && signs.severity == Severity::error) continue;
      INFO(rule.id << ", " << severity_words(signs.severity).name);
      Report report = with_finding(tests::resnet50_non_reentrant(), std::string(rule.id), signs.severity);
      if (rule.outcome) report.verdict.outcome = *rule.outcome, report.verdict.iteration = 0;
      const Survey survey{{{.path = "m.pt", .report = report}}};
      CHECK(severity(survey.files[0]) == (signs.severity == Severity::note ? Severity::clean : signs.severity));
      CHECK_THAT(to_text(report), Contains(signs.text));
      CHECK_THAT(to_markdown(survey), Contains(signs.markdown));
      CHECK_THAT(to_html(survey), Contains(signs.html));
      CHECK_THAT(to_github(survey), Contains(signs.github));
      CHECK_THAT(to_sarif(survey), Contains(signs.sarif));
      CHECK_THAT(to_svg(report), Contains("<g class=\"sign\">" + signs.picture));
      CHECK(exit_code(report) == (signs.severity == Severity::note ? 0 : 1));
    }
}

TEST_CASE("a parameter that the loss does not need is only noted, in the picture too") {
  Report report = tests::resnet50_non_reentrant();
  report.verdict.untrained = {0};
  report.findings = {{"not-trained", Severity::note, "The loss does not depend on l1.weight", "", {}}};
  CHECK_THAT(to_svg(report), Contains("No conflict") && !Contains("never trained"));
}
