// Patterns: --checkpoint PATTERN=KIND, applied to names (gradscan/parse.h reads such texts).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"
#include "gradscan/error.h"

namespace gradscan {

// Where a pattern makes regions: positions in `paths` (of all modules, in named_modules() order; the root's is empty) of those
// that match and are not inside of another that does.
std::vector<std::size_t> outermost_matches(const std::string& glob, const std::vector<std::string>& paths);

// Gives the regions that the capture already has the kind of the last pattern that matches their name. Throws Error (usage),
// see no_match, if a pattern matches none of them.
void apply_patterns(Capture& capture, const std::vector<CheckpointPattern>& patterns);

// What to throw when a pattern matches none of `names`: names near matches.
Error no_match(const CheckpointPattern& pattern, const std::vector<std::string>& names);

}  // namespace gradscan
