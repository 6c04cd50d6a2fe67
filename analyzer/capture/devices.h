// A model runs on the CPU, also where its code names another device.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace gradscan {

// Makes the CPU of every device that the model's code or an attribute of its modules names: torch.device("cuda:0"), x.cuda().
// To be called before the model first runs.
void replace_devices(const torch::jit::Module& model);

}  // namespace gradscan
