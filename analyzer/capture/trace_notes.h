// What a trace does not say about a module that is a checkpoint region.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Sentences for Capture::notes about the arguments of regions that are module calls:
//   - a list or dict of tensors is traced as if each tensor were a separate argument, and only separate arguments count for a
//     reentrant region;
//   - a parameter that a module uses without owning it is traced as if it were passed as an argument.
std::vector<std::string> trace_notes(const Capture& capture);

}  // namespace gradscan
