// Names on a command line: as globs that match them alone, and quoted for a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// The glob that matches this name alone.
std::string as_glob(std::string_view name);

// Globs over names of parameters that match those of `chosen` (by position in capture.parameters) and no others that require
// grad: "head.*" for all of a module's, names where only some are chosen; in the order of parameters.
std::vector<std::string> globs_for(const Capture& capture, const std::vector<bool>& chosen);

// One word for a POSIX shell: as it is, or in single quotes.
std::string quoted(std::string_view word);

}  // namespace gradscan
