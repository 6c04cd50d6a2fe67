// Counting firings: how often, and because of what, each parameter's gradient-accumulation hook fires in one backward.
//
// A parameter fires once for every backward pass that reaches it: the outer graph's (at most once, however often the parameter
// is used in it), and one inner backward for every reentrant region that is executed. A region is executed if the pass over the
// graph around it reaches its checkpoint vertex. This is worked out from the graph alone; replay.h shows the same on the real
// engine, and analyse() compares the two.
//
//     GradGraph graph(capture, Checkpointing::as_given);
//     Firings firings = count_firings(capture, graph, loss_roots(capture));
//     firings.causes[157].size();          // firings per iteration of the parameter with DDP index 157
//
// Linear in vertices and edges, except for closures, whose inner backward continues into the outer graph.
#pragma once

#include <optional>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/graph.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

struct Firings {
  Causes causes;
  // For each region, whether its inner backward is executed. False for regions that are not reentrant.
  std::vector<bool> executed{};
  // A vertex that saves tensors and that backward runs twice, the second time after it has freed them (a closure over an outer
  // activation): torch stops there with "Trying to backward through the graph a second time". Firings after that point are
  // counted only once.
  std::optional<int> runs_twice{};
  std::vector<Cause> runs_twice_in{};  // causes of the backward passes that reach it, ascending
};

// Where backward starts: the outputs that the loss is computed from.
std::vector<GradEdge> loss_roots(const Capture& capture, const TrainingStep& step = {});

// Whether the loss uses an output behind DDP's sink, if there is a sink.
bool feeds_sink(const Capture& capture, const GradGraph& graph, const TrainingStep& step = {});

// Where backward starts if DDP has put its sink behind forward (with find_unused_parameters, and in the first iteration with
// static_graph): a loss that uses one of the outputs behind the sink sends a gradient, possibly an undefined one, to all of
// them.
std::vector<GradEdge> sink_roots(const Capture& capture, const GradGraph& graph, const TrainingStep& step = {});

Firings count_firings(const Capture& capture, const GradGraph& graph, const std::vector<GradEdge>& roots);

// For each DDP index, whether DDP's search for unused parameters finds it: the search walks the outer graph from the tensors in
// forward's return value, and does not see a parameter that is itself returned.
std::vector<bool> seen_by_search(const Capture& capture, const GradGraph& graph);

}  // namespace gradscan
