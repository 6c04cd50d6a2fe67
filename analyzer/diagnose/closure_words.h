// What findings say of closures (see analyzer/report/closures.h).
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

// For training that stops because of Report::second_run; empty if no closure is to blame.
std::string why_second_run(const Report& report);

// For these parameters (DDP indices) if the inner backward of a region reaches one of them through a closure; else empty.
std::string why_reached_through_closures(const Report& report, const std::vector<int>& parameters);

}  // namespace gradscan
