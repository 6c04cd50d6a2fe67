// All formats at once: what each writes of a report is what it writes of the report that has been through JSON.
#include "gradscan/writers.h"

#include <map>

#include "analyzer/report/check_report.h"
#include "gradscan/read_report.h"
#include "tests/support/catch.h"
#include "tests/support/picture_reports.h"

namespace gradscan {
namespace {

std::map<std::string, std::string> documents(const Survey& survey) {
  std::map<std::string, std::string> documents{{"text", to_text(survey, {.color = true, .width = 100})},
                                               {"json", to_json(survey)},
                                               {"markdown", to_markdown(survey)},
                                               {"sarif", to_sarif(survey)},
                                               {"github", to_github(survey)}};
  for (const Scanned& file : survey.files)
    if (file.report) documents["dot of " + file.path] = to_dot(*file.report);
  return documents;
}

// Reports written by hand leave out what no picture shows.
Report completed(Report report) {
  for (ParameterReport& parameter : report.parameters)
    if (parameter.dtype.empty()) parameter.dtype = "float32";
  if (report.in_turn.empty()) report.in_turn = {report.model};
  if (report.buckets.empty()) report.buckets.resize(1);
  return report;
}

// JSON is UTF-8: other bytes are lost on the first way through it, so that report starts behind that.
Report as_json_keeps_it(const std::string& name, const Report& report) {
  return name == "hostile" ? *parse_report(to_json(completed(report)), name).files[0].report : completed(report);
}

Survey survey_of(const std::string& name, const Report& by_hand) {
  Report report = as_json_keeps_it(name, by_hand);
  Survey survey{{{.path = report.model, .report = report, .exit_code = has_conflict(report) ? 1 : 0}}};
  INFO(name);
  CHECK(flaw(report) == "");
  return survey;
}

void check_same(const std::map<std::string, std::string>& expected, const std::map<std::string, std::string>& actual) {
  REQUIRE(expected.size() == actual.size());
  for (const auto& [format, document] : expected) {
    INFO(format);
    CHECK(actual.at(format) == document);
  }
}

TEST_CASE("every format of a report that was read back is that of the report") {
  for (const auto& [name, report] : tests::all_reports()) {
    Survey survey = survey_of(name, report);
    INFO(name);
    check_same(documents(survey), documents(parse_report(to_json(survey), name + ".json")));
  }
}

TEST_CASE("the same holds for pages and laid-out pictures") {
  Survey survey = survey_of("used_twice", tests::used_twice());
  Survey again = parse_report(to_json(survey), "r.json");
  CHECK(to_svg(*again.files[0].report) == to_svg(*survey.files[0].report));
  CHECK(to_html(again) == to_html(survey));
}

TEST_CASE("and for several files in one") {
  Survey survey;
  for (const auto& [name, report] : tests::all_reports())
    survey.files.push_back(
        {.path = name + ".pt", .report = as_json_keeps_it(name, report), .exit_code = has_conflict(report) ? 1 : 0});
  survey.files.push_back({.path = "lost.pt", .error = "lost.pt: cannot be read", .exit_code = 3});
  check_same(documents(survey), documents(parse_report(to_json(survey), "s.json")));
}

}  // namespace
}  // namespace gradscan
