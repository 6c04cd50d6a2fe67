#include "analyzer/capture/inputs.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/capture/ivalues.h"
#include "analyzer/text/near_matches.h"
#include "analyzer/torch/torch_adapter.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* how_to_give =
    "describe every input with --input NAME=DTYPE[SHAPE], for example --input x=float32[2,3,224,224]";

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
    if (const Input* input = find(wanted_, argument.name())) return make_tensor({*input});
    if (model_.traced_inputs && position < model_.traced_inputs->size())
      return map_tensors((*model_.traced_inputs)[position], argument.name(),
                         [&](const at::Tensor& tensor, const TensorPlace& place) { return like_traced(tensor, place.path); });
    if (const StatedInput* input = find(model_.metadata.inputs, argument.name())) return make_tensor(*input);
    if (argument.default_value()) return *argument.default_value();
    if (argument.type()->kind() == c10::TypeKind::OptionalType) return c10::IValue();
    throw Error(Failure::usage, path_, fmt::format("does not describe forward's input {}", argument.name()), how_to_give);
  }

  at::Tensor like_traced(const at::Tensor& tensor, const std::string& name) {
    if (const Input* input = find(wanted_, name)) return make_tensor({*input});
    if (const StatedInput* input = find(model_.metadata.inputs, name)) return make_tensor(*input);
    return make_tensor({{.name = name,
                         .dtype = std::string(c10::getDtypeNames(tensor.scalar_type()).first),
                         .shape = tensor.sizes().vec(),
                         .requires_grad = tensor.requires_grad(),
                         .origin = InputOrigin::traced}});
  }

  at::Tensor make_tensor(const StatedInput& input) {
    try {
      at::Tensor tensor = made_up(input);
      tensor.set_requires_grad(input.requires_grad);
      result_.tensors.push_back(input);
      result_.values.push_back(tensor);
      return tensor;
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) throw out_of_memory(path_);
      throw Error(Failure::model_failed, path_,
                  fmt::format("its input {} cannot be created: {}", input.name, last_error_line(error)), how_to_give);
    }
  }

  at::Tensor made_up(const StatedInput& input) {
    auto type = c10::getStringToDtypeMap().find(input.dtype);
    if (type == c10::getStringToDtypeMap().end()) throw std::invalid_argument("torch has no dtype " + input.dtype);
    bool numbers = at::isFloatingType(type->second) || at::isComplexType(type->second);
    if (numbers) return at::empty(input.shape, at::kFloat).uniform_(0, 1, random_).to(type->second);
    at::Tensor integers = at::empty(input.shape, type->second);
    return integers.copy_((input.values ? stated(input) : ends_of_range(input, integers.numel())).view(input.shape));
  }

  static at::Tensor stated(const StatedInput& input) { return at::tensor(*input.values, at::kLong); }

  // Values that the script has used, unlike those between them.
  static at::Tensor ends_of_range(const StatedInput& input, std::int64_t number) {
    return at::arange(number).remainder(2).mul(input.high - input.low).add(input.low);
  }

  void check_used(const Input& wanted) const {
    if (find(result_.tensors, wanted.name)) return;
    std::vector<std::string> names;
    for (const Input& input : result_.tensors) names.push_back(input.name);
    throw Error(Failure::usage, "--input " + wanted.name, "forward has no such tensor input", did_you_mean(wanted.name, names));
  }

  template <class AnyInput>
  static const AnyInput* find(const std::vector<AnyInput>& inputs, const std::string& name) {
    auto found = std::find_if(inputs.rbegin(), inputs.rend(), [&](const AnyInput& input) { return input.name == name; });
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
