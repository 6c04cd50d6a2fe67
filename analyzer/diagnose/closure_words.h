// What findings say about closures (see analyzer/report/closures.h).
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

// Why training stops because of Report::second_run; empty if no closure is to blame.
std::string why_second_run(const Report& report);

// How an inner backward reaches any of these parameters (DDP indices) through a closure; empty if none does.
std::string why_reached_through_closures(const Report& report, const std::vector<int>& parameters);

}  // namespace gradscan
