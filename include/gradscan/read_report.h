// Saved reports, read back.
//
//     Survey survey = parse_report(json, "report.json");
//     std::cout << to_text(*survey.files.front().report);       // gradscan/writers.h
#pragma once

#include <string>
#include <string_view>

#include "gradscan/survey.h"

namespace gradscan {

// The inverse of to_json(): reads a report as a survey of one file, or a survey of several files; schemas "gradscan-report/1"
// and "gradscan-survey/1". Throws Error (not_a_model), with `subject` as its subject.
Survey parse_report(std::string_view json, const std::string& subject);

}  // namespace gradscan
