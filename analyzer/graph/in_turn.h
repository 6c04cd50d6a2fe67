// Captures that forward calls play in turn (see gradscan/replay.h) are of one model, run with different inputs or branches.
//
// They are the graphs of one file or of several (graphs_of), one file after the other. The calls follow the turns that each
// file has recorded, file after file, and then begin again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// Whether both have the same parameters.
bool of_one_model(const Capture& left, const Capture& right);

// Throws Error (usage) unless the capture, which --then names, has the same parameters as the first.
void check_then(const Capture& first, const Capture& capture, const std::string& then);

// The position of the capture that each forward call plays, call after call. Throws Error (usage) unless the further graphs of
// each capture follow it.
std::vector<int> turns_of(std::span<const Capture> in_turn);

// The number of iterations that it takes to judge these turns: at least replay_iterations, and enough that they come round to
// where they began. One more is in it, because DDP notices what an iteration lacks in the next forward.
int iterations_for(const std::vector<int>& turns, const TrainingStep& step);

// Whether it is known which graphs come together in an iteration of several forward calls: not if the turns that were recorded
// do not repeat themselves.
bool is_order_known(std::span<const Capture> in_turn, const TrainingStep& step);

}  // namespace gradscan
