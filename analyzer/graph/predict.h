// What the graph passes say about one choice of checkpointing before anything is replayed.
#pragma once

#include <span>
#include <vector>

#include "analyzer/graph/step.h"
#include "gradscan/capture.h"
#include "gradscan/firings.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// Of one forward call.
struct CallPrediction {
  Firings from_loss;        // backward without DDP, or where DDP has no sink
  Firings from_sink;        // backward through DDP's sink
  bool feeds_sink = false;  // whether the loss takes an output that the sink stands behind: then the sink runs
  std::vector<bool> seen;   // for each DDP index whether DDP's search finds it
  std::vector<int> passed;  // DDP indices that a reentrant checkpoint around the model hands on to the loss
};

struct Prediction {
  std::vector<CallPrediction> in_turn;  // of each capture, see replay.h
  OutsideUses uses;
};

// `in_turn`: at least one capture. Throws Error (usage) as outside_uses().
Prediction predict(std::span<const Capture> in_turn, Checkpointing checkpointing, const TrainingStep& step);

// Which nodes the loss depends on, region boundaries among them, as forward stands in the capture.
std::vector<bool> nodes_in_loss(const Capture& capture);

// Firings in an iteration of setup.step: without DDP, or with it.
Causes firings_without_ddp(const Prediction& prediction, const TrainingStep& step, int iteration);
Causes firings_in(const Prediction& prediction, const Setup& setup, int iteration);

// By DDP index.
struct Marks {
  std::vector<int> marks;  // ready marks in an iteration (with static_graph: in one after the first), see ParameterReport
  Causes heard;            // causes of the firings that DDP listens to in it
  std::vector<bool> seen;  // whether DDP's search finds the parameter in it
};

// Where iterations differ, those of the first in which a parameter does not have exactly one mark.
Marks ready_marks(const Prediction& prediction, const Setup& setup);

}  // namespace gradscan
