#include "tests/script_model.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/library.h>

namespace gradscan::tests {
namespace {

at::Tensor same(const at::Tensor& x) {
  return x;
}

}  // namespace

// An operator that only this program has: gradscan cannot load a model that uses it.
TORCH_LIBRARY(gradscan_tests, library) {
  library.def("same(Tensor x) -> Tensor", &same);
}

void save(const ScriptModel& model, const std::string& path) {
  torch::jit::Module module("Model");
  for (const std::string& name : model.parameters)
    module.register_parameter(name, at::zeros({2, 2}).set_requires_grad(model.requires_grad), false);
  module.define(model.methods);
  module.save(path);
}

}  // namespace gradscan::tests
