// What a TrainingStep means for a model: which parameters the loss uses directly, and from which of forward's outputs backward
// starts.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// DDP indices, without repetition, in the order in which the loss uses them.
struct OutsideUses {
  std::vector<int> plain, times_zero;
};

// Parameters that do not require grad are left out. Throws Error (usage) if a glob matches no parameter name or a number of the
// step is out of bounds.
OutsideUses outside_uses(const Capture& capture, const TrainingStep& step);

// Whether tensors of this dtype can require grad.
bool is_floating(const std::string& dtype);

// Whether a reentrant checkpoint around the whole model records anything, and which outputs get its history. As for a region:
// if a tensor among its arguments requires grad, and floating-point tensors that are returned directly or in a tuple.
bool is_recorded_by_checkpoint(const Capture& capture);
bool is_checkpoint_output(const Output& output);

// If the output is a parameter itself inside a dict or object, which such a checkpoint passes on unchanged: the position of the
// parameter in Capture::parameters; else none.
int passed_by_checkpoint(const Capture& capture, const Output& output);

// The outputs from which backward starts. With a reentrant checkpoint around the whole model: all or none of those that get its
// history. Otherwise: those that the loss is computed from.
std::vector<bool> outputs_in_backward(const Capture& capture, const TrainingStep& step);

}  // namespace gradscan
