// Parameters by globs over their names.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Positions in capture.parameters of those that have a name or alias which one of the globs matches, each once: in the order of
// the globs, those of one glob in the order of parameters. Throws Error (usage), naming near matches, for a glob that matches
// none; `option` is what has been given the globs: "--freeze".
std::vector<int> parameters_named(const Capture& capture, const std::string& option, const std::vector<std::string>& globs);

}  // namespace gradscan
