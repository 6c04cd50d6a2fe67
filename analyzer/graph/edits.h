// Edits of captures that forward calls play in turn (see gradscan/replay.h).
#pragma once

#include <span>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

// Each of them edited. A glob over names of regions has to match in one of them only, for a region need not be in every graph.
std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits);

// Whether the capture has the graph inside of a region: where all of a region is frozen and none of its arguments requires grad,
// forward leaves nothing of it behind, and nobody can tell what its arguments lead to.
bool has_graph(const Capture& capture, const Region& region);

// Of a region's argument, under any kind of checkpointing: it comes from nowhere, or from a region that has no graph.
bool has_no_history(const Capture& capture, GradEdge argument);

}  // namespace gradscan
