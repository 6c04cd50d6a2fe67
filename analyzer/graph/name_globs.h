// Parameters as globs that match their names alone.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Globs over names of parameters that match those of `chosen` (by position in capture.parameters) and no others that require
// grad: "head.*" for all of a module's, names where only some are chosen; in the order of parameters.
std::vector<std::string> globs_for(const Capture& capture, const std::vector<bool>& chosen);

}  // namespace gradscan
