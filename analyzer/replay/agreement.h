// The invariant that every run checks: the firings that the graph passes predict are the firings that torch's engine shows. A
// difference is a bug in gradscan, never a property of the model.
#pragma once

#include "analyzer/graph/predict.h"
#include "gradscan/capture.h"
#include "gradscan/replay.h"
#include "gradscan/setup.h"

namespace gradscan {

// Throw Error (internal), with the model's name as subject, if the engine has shown other firings than predicted. A run that
// stopped with an error may have shown fewer.
void check_run(const Capture& capture, const Prediction& prediction, const TrainingStep& step, const EngineRun& run);
void check_replay(const Capture& capture, const Prediction& prediction, const Replay& replay);

}  // namespace gradscan
