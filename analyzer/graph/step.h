// What a TrainingStep means for a model: which parameters the loss takes by itself, and how often every hook fires.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// DDP indices, each once, in the order in which the loss takes them.
struct OutsideUses {
  std::vector<int> plain, times_zero;
};

// Parameters that do not require grad are left out. Throws Error (usage) for a glob that matches no parameter's name.
OutsideUses outside_uses(const Capture& capture, const TrainingStep& step);

}  // namespace gradscan
