// What every report keeps to, so that its writers need not ask: each number that stands for a parameter, a region, a stage or a
// capture is one that there is, lists that are said to be ascending ascend (report_fields.h says of each what it is), parents
// stand before their children, and sums can be counted.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// The first rule that the report breaks, in words that begin with the path to it: ".regions[3].parent: 7 is no region"; empty
// if it keeps to all.
std::string flaw(const Report& report);

}  // namespace gradscan
