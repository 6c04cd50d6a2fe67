// Reports as JSON, for programs. read_report.h reads them back.
#pragma once

#include <string>

#include "gradscan/report.h"
#include "gradscan/survey.h"

namespace gradscan {

// Schema "gradscan-report/1"; see docs/report-format.md.
std::string to_json(const Report& report);

// One file: its report as above. Several files: schema "gradscan-survey/1".
std::string to_json(const Survey& survey);

}  // namespace gradscan
