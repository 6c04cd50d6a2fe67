// The outer graph, contracted into stages: each outermost checkpoint region is one, and so is each run of nodes between two of
// them (in order of creation, which backward follows in reverse). Regions that are not reentrant are stages too.
//
// An edge between stages stands for at least one edge between their nodes; parameters are not stages. Since edges lead to older
// nodes, stages in descending order of their nodes are in topological order. Linear in nodes and edges.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/graph.h"
#include "gradscan/report.h"

namespace gradscan {

// `ddp_index`: the DDP index for each position in capture.parameters, none for frozen ones.
std::vector<Stage> contract(const Capture& capture, const GradGraph& graph, const std::vector<int>& ddp_index);

// A label for the part of a model that these modules make up: at most three names, shortened to common parents, and folded if
// there are still more. The modules are in forward order, without repetition.
std::string module_label(std::vector<std::string> modules);

}  // namespace gradscan
