// Words and JSON of a report, for the formats that are made of it.
#pragma once

#include <string_view>

#include "analyzer/json/json.h"
#include "gradscan/report.h"

namespace gradscan {

using forms::text_of;

std::string_view to_string(Severity severity);  // "error", "silent", "note"

}  // namespace gradscan
