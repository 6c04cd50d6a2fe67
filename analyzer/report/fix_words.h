// What reports say about fixes.
#pragma once

#include "analyzer/report/page.h"
#include "gradscan/report.h"

namespace gradscan {

// A section: every fix with its condition, what it costs, and how to check it. Nothing if there is no conflict.
void write_fixes(Page& page, const Report& report);

}  // namespace gradscan
