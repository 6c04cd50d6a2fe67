// Reports as JSON: what programs read. read_report.h is the way back.
#pragma once

#include <string>

#include "gradscan/report.h"
#include "gradscan/survey.h"

namespace gradscan {

// Schema "gradscan-report/1"; see docs/report-format.md.
std::string to_json(const Report& report);

// Of one file its report's; of several, schema "gradscan-survey/1".
std::string to_json(const Survey& survey);

}  // namespace gradscan
