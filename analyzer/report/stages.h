// The outer graph, contracted into stages: each outermost checkpoint region is one, and so is each run of nodes between two of
// them (in the order of their creation, which backward follows in reverse). Regions that are not reentrant are stages too.
//
// An edge between stages stands for at least one edge between nodes of theirs; parameters are no stages. Since edges lead to
// older nodes, the stages in descending order of their nodes are in topological order. Cost: linear in nodes and edges.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/graph.h"
#include "gradscan/report.h"

namespace gradscan {

// `ddp_index` has the DDP index for each position in capture.parameters, none for frozen ones.
std::vector<Stage> contract(const Capture& capture, const GradGraph& graph, const std::vector<int>& ddp_index);

// What to call a piece of a model that these modules belong to: at most three names, shortened to common parents and folded
// where there are more. The modules are in forward order, without repetition.
std::string module_label(std::vector<std::string> modules);

}  // namespace gradscan
