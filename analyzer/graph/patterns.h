// Patterns: --checkpoint PATTERN=KIND, applied to names. gradscan/parse.h parses them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"
#include "gradscan/error.h"

namespace gradscan {

// Where a pattern makes regions: positions in `paths` (of all modules, in named_modules() order; the root's is empty) of those
// that match and are not inside another match.
std::vector<std::size_t> outermost_matches(const std::string& glob, const std::vector<std::string>& paths);

// Whether a region of the capture has a name that matches.
bool matches_region(const Capture& capture, const std::string& glob);

// Gives each existing region of the capture the kind of the last pattern that matches its name. Throws Error (usage), see
// no_match(), if a pattern matches no region.
void apply_patterns(Capture& capture, const std::vector<CheckpointPattern>& patterns);

// The same for all graphs of a model: a pattern has to match in only one of them, for a region need not be in every graph.
void apply_patterns(const std::vector<Capture*>& graphs, const std::vector<CheckpointPattern>& patterns);

// What to throw if a pattern matches none of `names`; suggests near matches.
Error no_match(const CheckpointPattern& pattern, const std::vector<std::string>& names);

}  // namespace gradscan
