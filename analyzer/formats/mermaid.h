// A flowchart of what is in conflict, in the language of Mermaid, which GitHub draws inside of a comment.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// In the order of backward: the regions and modules that the finding concerns, what lies between them folded away, and how the
// parameters get their ready marks. GitHub draws at most 50,000 characters and 500 edges; this stays far below. Empty if the
// finding concerns no parameters.
std::string mermaid(const Report& report, const Finding& finding);

}  // namespace gradscan
