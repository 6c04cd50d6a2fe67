// The invariant that every run checks: the firings that the graph passes predict are those that torch's engine shows. A
// difference is a bug in gradscan, never a property of the model.
#pragma once

#include "analyzer/graph/predict.h"
#include "gradscan/capture.h"
#include "gradscan/replay.h"
#include "gradscan/setup.h"

namespace gradscan {

// Both throw Error (internal), with the model's name as subject, if the engine shows other firings than predicted. A run that
// stops with an error may show fewer.
void check_run(const Capture& capture, const Prediction& prediction, const TrainingStep& step, const EngineRun& run);
void check_replay(const Capture& capture, const Prediction& prediction, const Replay& replay);

}  // namespace gradscan
