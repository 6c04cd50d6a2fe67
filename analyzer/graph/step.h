// What a TrainingStep means for a model: which parameters the loss takes by itself, and from which of forward's outputs
// backward starts.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// DDP indices, each once, in the order in which the loss takes them.
struct OutsideUses {
  std::vector<int> plain, times_zero;
};

// Parameters that do not require grad are left out. Throws Error (usage) for a glob that matches no parameter's name, and for a
// number of the step that is out of its bounds.
OutsideUses outside_uses(const Capture& capture, const TrainingStep& step);

// Whether tensors of this dtype can require grad.
bool is_floating(const std::string& dtype);

// Whether a reentrant checkpoint around the whole model records anything, and what it gives its history: like one around a
// region, if a tensor among its arguments requires grad, and to floating-point tensors that are returned themselves or in a
// tuple.
bool is_recorded_by_checkpoint(const Capture& capture);
bool is_checkpoint_output(const Output& output);

// A parameter that forward returns itself inside of a dict or object, which such a checkpoint hands on as it is: its position
// in Capture::parameters, or none.
int passed_by_checkpoint(const Capture& capture, const Output& output);

// The outputs from which backward starts inside of a reentrant checkpoint around the whole model: all or none of those that it
// gives its history. Otherwise those that the loss is computed from.
std::vector<bool> outputs_in_backward(const Capture& capture, const TrainingStep& step);

}  // namespace gradscan
