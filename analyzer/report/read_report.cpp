// The reverse of to_json: a Report from the JSON of one, so that it can be written anew without its model.
//
// Anybody may have written the JSON. So every member is read with its type, as report_fields.h describes it, the report that
// results is checked as a whole (check_report.h), and reports lie in one another only as deep as gradscan writes them.
#include "gradscan/read_report.h"

#include "analyzer/report/check_report.h"
#include "analyzer/report/survey_fields.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

using forms::Json;
using forms::Malformed;

// A verdict says only in what its setup differs from the one asked.
void complete(Verdict& verdict, const Setup& asked) {
  Setup setup = asked;
  setup.checkpointing = verdict.setup.checkpointing;
  setup.find_unused_parameters = verdict.setup.find_unused_parameters;
  setup.static_graph = verdict.setup.static_graph;
  verdict.setup = setup;
}

void complete(Report& report) {
  complete(report.verdict, report.setup);
  for (Verdict& verdict : report.verdicts) complete(verdict, report.setup);
  for (Report& setup : report.setups) complete(setup);
}

void check(const Report& report) {
  if (std::string words = flaw(report); !words.empty()) throw Malformed(words);
}

// The exit code of a file with a report follows from it; that of one without is of a failure.
void check(Scanned& file) {
  if (!file.report) {
    if (file.error.empty()) throw Malformed(" has neither a report nor an error");
    if (file.exit_code < 2 || file.exit_code > 255) throw Malformed(".exit_code is none of a file without a report");
    return;
  }
  file.error.clear();
  complete(*file.report);
  forms::inside("report", [&] { check(*file.report); });
  file.exit_code = exit_code(*file.report);
}

Survey survey_from(const Json& json) {
  Survey survey;
  forms::Document<Survey>{}.read(json, survey);
  if (survey.files.empty()) throw Malformed(" has no files");
  for (std::size_t at = 0; at < survey.files.size(); ++at)
    forms::inside("files", [&] { forms::inside(at, [&] { check(survey.files[at]); }); });
  return survey;
}

// A report alone stands for the survey of its model.
Survey survey_of(const Json& json) {
  Report report;
  forms::Document<Report>{}.read(json, report);
  complete(report);
  check(report);
  std::string path = report.model;
  const int code = exit_code(report);
  return {{{.path = std::move(path), .report = std::move(report), .exit_code = code}}};
}

bool is_survey(const Json& json) {
  auto found = json.is_object() ? json.find("schema") : json.end();
  return found != json.end() && *found == survey_schema;
}

}  // namespace

Survey parse_report(std::string_view text, const std::string& subject) {
  std::string problem;
  try {
    Json json = Json::parse(text);
    return is_survey(json) ? survey_from(json) : survey_of(json);
  } catch (const Malformed& error) {
    problem = forms::in_words(error);
  } catch (const Json::exception& error) {
    problem = forms::in_words(error);
  }
  throw Error(Failure::not_a_model, subject, "is not a report: " + problem, "write one with -o FILE.json");
}

}  // namespace gradscan
