#include "analyzer/capture/inputs.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "analyzer/capture/ivalues.h"
#include "analyzer/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* how_to_give =
    "give every input with --input NAME=DTYPE[SHAPE], for example --input x=float32[2,3,224,224]";

class InputMaker {
 public:
  InputMaker(const std::string& path, const Model& model, const std::vector<Input>& wanted)
      : path_(path), model_(model), wanted_(wanted), random_(at::detail::createCPUGenerator(0)) {}

  Inputs run() {
    const auto& arguments = model_.module.get_method("forward").function().getSchema().arguments();
    for (std::size_t k = 1; k < arguments.size(); ++k) result_.arguments.push_back(make_argument(arguments[k], k - 1));
    for (const Input& input : wanted_) check_used(input);
    return std::move(result_);
  }

 private:
  c10::IValue make_argument(const c10::Argument& argument, std::size_t position) {
    if (const Input* input = find(wanted_, argument.name())) return make_tensor(*input);
    if (model_.traced_inputs && position < model_.traced_inputs->size())
      return map_tensors((*model_.traced_inputs)[position], argument.name(),
                         [&](const at::Tensor& tensor, const TensorPlace& place) { return like_traced(tensor, place.path); });
    if (const Input* input = find(model_.metadata.inputs, argument.name())) return make_tensor(*input);
    if (argument.default_value()) return *argument.default_value();
    if (argument.type()->kind() == c10::TypeKind::OptionalType) return c10::IValue();
    throw Error(Failure::usage, path_, "does not say what forward's input " + argument.name() + " looks like", how_to_give);
  }

  at::Tensor like_traced(const at::Tensor& tensor, const std::string& name) {
    if (const Input* input = find(wanted_, name)) return make_tensor(*input);
    if (const Input* input = find(model_.metadata.inputs, name)) return make_tensor(*input);
    return make_tensor({.name = name,
                        .dtype = std::string(c10::getDtypeNames(tensor.scalar_type()).first),
                        .shape = tensor.sizes().vec(),
                        .requires_grad = tensor.requires_grad(),
                        .origin = "traced input"});
  }

  at::Tensor make_tensor(const Input& input) {
    at::ScalarType type = c10::getStringToDtypeMap().at(input.dtype);
    at::Tensor tensor = at::empty(input.shape, type);
    if (at::isFloatingType(type) || at::isComplexType(type)) {
      tensor.uniform_(0, 1, random_);
    } else {
      tensor.copy_(at::arange(tensor.numel()).remainder(2).view(input.shape));
    }
    tensor.set_requires_grad(input.requires_grad);
    result_.tensors.push_back(input);
    result_.values.push_back(tensor);
    return tensor;
  }

  void check_used(const Input& wanted) const {
    if (find(result_.tensors, wanted.name)) return;
    std::vector<std::string> names;
    for (const Input& input : result_.tensors) names.push_back(input.name);
    throw Error(Failure::usage, "--input " + wanted.name, "forward has no such tensor input", did_you_mean(wanted.name, names));
  }

  static const Input* find(const std::vector<Input>& inputs, const std::string& name) {
    auto found = std::find_if(inputs.rbegin(), inputs.rend(), [&](const Input& input) { return input.name == name; });
    return found == inputs.rend() ? nullptr : &*found;
  }

  const std::string& path_;
  const Model& model_;
  const std::vector<Input>& wanted_;
  at::Generator random_;
  Inputs result_;
};

}  // namespace

Inputs make_inputs(const std::string& path, const Model& model, const std::vector<Input>& wanted) {
  return InputMaker(path, model, wanted).run();
}

}  // namespace gradscan
