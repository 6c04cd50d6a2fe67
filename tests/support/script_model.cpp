#include "tests/support/script_model.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/library.h>

namespace gradscan::tests {
namespace {

at::Tensor same(const at::Tensor& x) {
  return x;
}

// Makes the operators of this program known to the text of a model: gradscan_tests.same(x).
struct WithTestOperators : torch::jit::NativeResolver {
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(const std::string& name, torch::jit::GraphFunction& function,
                                                         const torch::jit::SourceRange& place) override {
    if (name == "gradscan_tests") return std::make_shared<torch::jit::BuiltinModule>(name);
    return NativeResolver::resolveValue(name, function, place);
  }
};

}  // namespace

// An operator that only this program has: gradscan cannot load a model that uses it.
TORCH_LIBRARY(gradscan_tests, library) {
  library.def("same(Tensor x) -> Tensor", &same);
}

void save(const ScriptModel& model, const std::string& path) {
  torch::jit::Module module("Model");
  for (const std::string& name : model.parameters)
    module.register_parameter(name, at::zeros({2, 2}).set_requires_grad(model.requires_grad), false);
  module.define(model.methods, std::make_shared<WithTestOperators>());
  torch::jit::ExtraFilesMap extra_files;
  if (!model.metadata.empty()) extra_files["gradscan.json"] = model.metadata;
  module.save(path, extra_files);
}

}  // namespace gradscan::tests
