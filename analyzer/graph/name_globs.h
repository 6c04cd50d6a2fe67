// Parameters as globs that match only their names.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Globs over parameter names that match `chosen` (by position in capture.parameters) and no other parameter that requires grad:
// "head.*" if all parameters of a module are chosen, else their names; in parameter order.
std::vector<std::string> globs_for(const Capture& capture, const std::vector<bool>& chosen);

}  // namespace gradscan
