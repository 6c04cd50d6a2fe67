// Changes that repair the setup asked: those among the verdicts whose replay is clean.
#pragma once

#include <vector>

#include "gradscan/report.h"

namespace gradscan {

// Nothing was asked of a setup that has no conflict. Smaller changes come first: other flags of DDP, then another kind of
// checkpointing with the flags asked, then both. A kind is offered once, with the flags that are nearest to those asked.
std::vector<Fix> find_fixes(const Report& report);

// A verdict without error and silent failure. Parameters that the loss does not depend on may stay untrained.
bool repairs(const Report& report, const Verdict& verdict);

// Whether the setup has the regions as they are asked for, and some with parameters are lost (RegionReport::lost).
bool loses_regions(const Report& report, const Setup& setup);

}  // namespace gradscan
