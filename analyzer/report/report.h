// Questions about a report that every room above asks.
#pragma once

#include "gradscan/report.h"

namespace gradscan {

// The outermost reentrant region around `region`, or itself, that is not executed; none if all are.
int blocked_at(const Report& report, int region);

}  // namespace gradscan
