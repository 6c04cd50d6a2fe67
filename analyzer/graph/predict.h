// What the graph passes say about one choice of checkpointing before anything is replayed, and the check that the replay
// agrees. A difference is a bug in gradscan, never a property of the model.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/firings.h"
#include "gradscan/replay.h"
#include "gradscan/setup.h"

namespace gradscan {

struct Prediction {
  Firings from_loss;       // backward without DDP, or where DDP has no sink
  Firings from_sink;       // backward through DDP's sink
  std::vector<bool> seen;  // for each DDP index whether DDP's search finds it
};

Prediction predict(const Capture& capture, Checkpointing checkpointing);

// Whether DDP's sink stands behind forward: always with find_unused_parameters, in iteration 0 with static_graph, which makes
// DDP ignore find_unused_parameters.
bool has_sink(const Setup& setup, int iteration);

const Firings& firings_in(const Prediction& prediction, const Setup& setup, int iteration);

// Ready marks of a parameter per iteration (with static_graph: per iteration after the first); see ParameterReport.
int ready_marks(const Prediction& prediction, const Setup& setup, int index);

// Throw Error (internal), with the model's name as subject, if the engine has shown other firings than predicted. A run that
// stopped with an error may have shown fewer.
void check_run(const Capture& capture, const Prediction& prediction, const EngineRun& run);
void check_replay(const Capture& capture, const Prediction& prediction, const Replay& replay);

}  // namespace gradscan
