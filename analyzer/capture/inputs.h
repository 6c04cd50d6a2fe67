// The arguments that forward is called with.
//
// Only their shapes and dtypes matter, so their values are made up: floating-point values are uniform in [0, 1), the same in
// every run; integers alternate between the first two values that the file declares valid, else between 0 and 1, which are
// valid token ids, class labels and mask values.
#pragma once

#include <string>
#include <vector>

#include "analyzer/capture/load.h"
#include "gradscan/capture.h"
#include "gradscan/capture_file.h"

namespace gradscan {

struct Inputs {
  std::vector<c10::IValue> arguments;  // of forward, without self
  std::vector<Input> tensors;          // every tensor among them, named as in "x", "x[0]", "x['mask']"
  std::vector<at::Tensor> values;      // of `tensors`
};

// Made from `wanted` (--input), else from what the file says. Throws Error (usage) for an argument that neither describes, and
// for a name that forward does not have.
Inputs make_inputs(const std::string& path, const Model& model, const std::vector<Input>& wanted);

}  // namespace gradscan
