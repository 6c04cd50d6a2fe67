// Questions about a report that several higher-level rooms ask.
#pragma once

#include "gradscan/report.h"

namespace gradscan {

// The outermost reentrant region that is not executed, among `region` and those around it; none if all are executed.
int blocked_at(const Report& report, int region);

// Whether the loss is a guess that could be wrong: more than one output requires grad.
bool has_doubtful_loss(const Report& report);

// Whether forward builds other graphs than those that the replay plays.
bool varies_unseen(const Report& report);

}  // namespace gradscan
