// What a trace does not tell about a module that is a checkpoint region.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Sentences for Capture::notes about the arguments of its regions that are calls of modules:
//   - a list or dict of tensors is traced as if each of them were an argument of its own, and only these count for a reentrant
//     region;
//   - a parameter that a module uses without owning it is traced as if it were handed over as an argument.
std::vector<std::string> trace_notes(const Capture& capture);

}  // namespace gradscan
