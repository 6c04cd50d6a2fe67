// Parameters by globs over their names.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Positions in capture.parameters of those whose name or alias matches one of the globs, without repetition: in the order of
// the globs, and for one glob in parameter order. Throws Error (usage), naming near matches, for a glob that matches nothing;
// `option` is where the globs come from: "--freeze".
std::vector<int> parameters_named(const Capture& capture, const std::string& option, const std::vector<std::string>& globs);

}  // namespace gradscan
