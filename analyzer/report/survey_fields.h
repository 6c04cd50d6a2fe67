// The members of a Survey, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/report/report_fields.h"
#include "gradscan/survey.h"

namespace gradscan {

template <typename Fields>
void describe(Fields& fields, As<Scanned>) {
  fields.object("file", "The result of one file: a report, or an error.");
  fields.always("path", &Scanned::path, "As it was given.");
  fields.always("exit_code", &Scanned::exit_code,
                "That a run over this file alone would end with. Read back, a file with a report has the one that follows from "
                "the report.");
  fields.optional("report", &Scanned::report, "What was found.", forms::Optional<forms::Document<Report>>{});
  fields.optional("error", &Scanned::error, "Why it could not be scanned, in one line.");
}

inline constexpr const char* survey_schema = "gradscan-survey/1";

template <typename Fields>
void describe(Fields& fields, As<Survey>) {
  fields.document(survey_schema, "survey", "The results of a run over several files, or over one that could not be scanned.");
  fields.required("files", &Survey::files, "In the order in which they were given.");
}

}  // namespace gradscan
