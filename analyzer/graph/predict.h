// What the graph alone says about one choice of checkpointing, before anything is replayed.
#pragma once

#include <span>
#include <vector>

#include "analyzer/graph/step.h"
#include "gradscan/capture.h"
#include "gradscan/firings.h"
#include "gradscan/graph.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// The prediction for one forward call.
struct CallPrediction {
  Firings from_loss;        // backward without DDP, or without DDP's sink
  Firings from_sink;        // backward through DDP's sink
  bool feeds_sink = false;  // whether the loss uses an output behind the sink, so that the sink runs
  std::vector<bool> seen;   // for each DDP index, whether DDP's search finds it
  std::vector<int> passed;  // DDP indices that a reentrant checkpoint around the model passes on to the loss
};

struct Prediction {
  std::vector<CallPrediction> in_turn;  // for each capture, see replay.h
  OutsideUses uses;
  std::vector<int> turns;  // see in_turn.h
  int iterations = 0;      // likewise
};

// `in_turn`: at least one capture. Throws Error (usage) like outside_uses().
Prediction predict(std::span<const Capture> in_turn, Checkpointing checkpointing, const TrainingStep& step);

// Which nodes, including region boundaries, the loss depends on in the captured graph.
std::vector<bool> nodes_in_loss(const Capture& capture);

// The vertices that a backward from these edges reaches.
std::vector<int> vertices_behind(const GradGraph& graph, const std::vector<GradEdge>& roots);

// The firings in an iteration of setup.step, without DDP or with it.
Causes firings_without_ddp(const Prediction& prediction, const TrainingStep& step, int iteration);
Causes firings_in(const Prediction& prediction, const Setup& setup, int iteration);

// By DDP index.
struct Marks {
  std::vector<int> marks;  // ready marks in an iteration (with static_graph: in one after the first), see ParameterReport
  Causes heard;            // causes of the firings that reach DDP in that iteration
  std::vector<bool> seen;  // whether DDP's search finds the parameter in that iteration
};

// If iterations differ: for each parameter, the first iteration in which it does not have exactly one mark.
Marks ready_marks(const Prediction& prediction, const Setup& setup);

}  // namespace gradscan
