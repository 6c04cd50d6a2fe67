// Patterns: --checkpoint PATTERN=KIND, applied to names. (The public parsers of such texts are declared in gradscan/scan.h.)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/error.h"
#include "gradscan/scan.h"

namespace gradscan {

// A shell's glob: * ? [...] and \ to take the next character as it is. '*' also crosses dots.
bool glob_match(std::string_view glob, std::string_view name);

// Where a pattern makes regions: positions in `paths` (of all modules, in named_modules() order; the root's is empty) of those
// that match and are not inside of another that does.
std::vector<std::size_t> outermost_matches(const std::string& glob, const std::vector<std::string>& paths);

// Gives the regions that the capture already has the kind of the last pattern that matches their name. Throws Error (usage),
// see no_match, if a pattern matches none of them.
void apply_patterns(Capture& capture, const std::vector<CheckpointPattern>& patterns);

// What to throw when a pattern matches none of `names`: names near matches.
Error no_match(const CheckpointPattern& pattern, const std::vector<std::string>& names);

}  // namespace gradscan
