// Edits of captures that forward calls play in turn (see gradscan/replay.h).
#pragma once

#include <span>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

// Edits each of them. A glob over region names has to match in only one of them: a region need not be in every graph.
std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits);

// Whether a direct tensor argument of the region can require grad: one of integers cannot.
bool may_require_grad(const Region& region, std::size_t slot);

}  // namespace gradscan
