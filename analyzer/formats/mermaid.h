// A flowchart of a conflict in the Mermaid language, which GitHub draws inside comments.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// In the order of backward: the regions and modules that the finding affects, with everything in between folded away, and how
// the parameters get their ready marks. GitHub draws at most 50,000 characters and 500 edges; this stays far below. Empty if
// the finding affects no parameters.
std::string mermaid(const Report& report, const Finding& finding);

}  // namespace gradscan
