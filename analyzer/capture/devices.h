// Makes a model run on the CPU even if its code names another device.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace gradscan {

// Replaces every device that the model's code or an attribute of its modules names with the CPU: torch.device("cuda:0"),
// x.cuda(). Call it before the model first runs.
void replace_devices(const torch::jit::Module& model);

}  // namespace gradscan
