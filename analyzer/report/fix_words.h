// What reports say about fixes.
#pragma once

#include "analyzer/report/page.h"
#include "gradscan/report.h"

namespace gradscan {

// Two sections: the first fixes, each with its number, its caveats, what it costs and how to check it; and what does not help.
// Nothing if there is no conflict.
void write_fixes(Page& page, const Report& report);

}  // namespace gradscan
