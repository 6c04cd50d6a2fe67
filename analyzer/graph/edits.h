// Edits of captures that forward calls play in turn (see gradscan/replay.h).
#pragma once

#include <span>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

// Edits each of them. A glob over region names has to match in only one of them: a region need not be in every graph.
std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits);

}  // namespace gradscan
