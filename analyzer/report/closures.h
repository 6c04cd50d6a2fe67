// A closure: a region's function uses a tensor that is made outside the region and is not among its arguments. The arguments of
// a reentrant region are detached copies, where its inner backward ends; from a closed-over tensor it continues into the graph
// outside.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/graph.h"
#include "gradscan/report.h"

namespace gradscan {

// For each region, the vertices outside to which its inner backward continues, ascending, without parameters and other leaves.
std::vector<std::vector<int>> closures(const Capture& capture, const GradGraph& graph);

Place place_of(const Capture& capture, const GradGraph& graph, int vertex);

}  // namespace gradscan
