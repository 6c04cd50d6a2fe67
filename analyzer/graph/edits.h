// Edits of captures that forward calls play in turn (see gradscan/replay.h).
#pragma once

#include <span>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

// Edits each of them. A glob over region names has to match in only one of them: a region need not be in every graph.
std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits);

// Whether the capture has the graph inside a region. If a whole region is frozen and none of its arguments requires grad,
// forward leaves no trace of it, and what its arguments lead to is unknown.
bool has_graph(const Capture& capture, const Region& region);

// Whether a region's argument comes from nowhere, or from a region that has no graph, under any kind of checkpointing.
bool has_no_history(const Capture& capture, GradEdge argument);

}  // namespace gradscan
