#include "analyzer/capture/load.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/import_read.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "analyzer/capture/devices.h"
#include "analyzer/capture/sniff.h"
#include "analyzer/torch/torch_adapter.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* metadata_file = "gradscan.json";
constexpr const char* metadata_schema = "gradscan-export/1";

// How torch's message about an operator that this build of torch lacks begins.
constexpr std::string_view unknown_operator = "Unknown builtin op: ";

std::string dtype_name(const at::Tensor& tensor) {
  return std::string(c10::getDtypeNames(tensor.scalar_type()).first);
}

Error load_error(const std::string& path, const std::exception& error) {
  if (is_out_of_memory(error)) return out_of_memory(path);
  std::string text = error.what();
  std::size_t found = text.find(unknown_operator);
  if (found != std::string::npos) {
    std::size_t start = found + unknown_operator.size();
    std::string name = text.substr(start, text.find_first_of(".\n ", start) - start);
    return Error(Failure::model_failed, path, fmt::format("uses the operator {}, which this torch does not have", name),
                 "export the model without it: gradscan cannot load the library that defines it");
  }
  return Error(Failure::model_failed, path, "cannot be loaded: " + last_error_line(error),
               "export the model again with torch.jit.trace or gradscan.export");
}

torch::jit::Module load_module(const std::string& path, std::string& metadata) {
  torch::jit::ExtraFilesMap extra_files{{metadata_file, ""}};
  try {
    torch::jit::Module module = torch::jit::load(path, at::Device(at::kCPU), extra_files);
    metadata = extra_files[metadata_file];
    return module;
  } catch (const std::exception& error) {
    throw load_error(path, error);
  }
}

std::optional<std::vector<c10::IValue>> read_traced_inputs(const std::string& path) {
  try {
    caffe2::serialize::PyTorchStreamReader reader(path);
    if (!reader.hasRecord("traced_inputs.pkl")) return std::nullopt;
    auto methods = torch::jit::readArchiveAndTensors("traced_inputs", "", "traced_inputs/", std::nullopt, std::nullopt,
                                                     at::Device(at::kCPU), reader)
                       .toGenericDict();
    auto forward = methods.find("forward");
    if (forward == methods.end()) return std::nullopt;
    return forward->value().toListRef().vec();
  } catch (const std::exception&) {
    return std::nullopt;  // an argument of a class that only the model knows: the user must then describe the inputs
  }
}

// In Python's named_modules() order: parents before children, children in order of registration.
std::vector<NamedModule> modules_of(const torch::jit::Module& root) {
  std::vector<NamedModule> modules, stack{{"", root}};
  std::unordered_set<const c10::ivalue::Object*> seen;
  while (!stack.empty()) {
    NamedModule next = std::move(stack.back());
    stack.pop_back();
    if (!seen.insert(next.module._ivalue().get()).second) continue;
    std::vector<NamedModule> children;
    for (const auto& child : next.module.named_children())
      children.push_back({next.path.empty() ? child.name : next.path + '.' + child.name, child.value});
    std::move(children.rbegin(), children.rend(), std::back_inserter(stack));
    modules.push_back(std::move(next));
  }
  return modules;
}

// A module that is registered under two names is one module in Python but two objects in the file. An object with the class and
// all parameters of an earlier one is assumed to be such a module. One with a single parameter may well share it on purpose,
// unless it has no forward: a trace never calls the second object.
class RepeatedModules {
 public:
  bool contain(const torch::jit::Module& module) {
    auto name = module.type()->name();
    Tensors tensors;
    for (const auto& parameter : module.named_parameters(false)) tensors.push_back(parameter.value.unsafeGetTensorImpl());
    std::size_t count = tensors.size();
    bool is_new = seen_.emplace(name ? name->name() : "", std::move(tensors)).second;
    return !is_new && (count > 1 || !module.find_method("forward"));
  }

 private:
  using Tensors = std::vector<const at::TensorImpl*>;
  std::set<std::pair<std::string, Tensors>> seen_;  // class and parameters
};

// A module's own parameters come before those of its children. Python ignores a second name in the same module. DDP prints the
// last name that a parameter has in named_modules(), which lists each module once.
void collect_parameters(Model& model) {
  std::unordered_map<const at::TensorImpl*, std::size_t> known;
  std::vector<std::string> ddp_names;
  RepeatedModules repeated;
  for (const NamedModule& owner : model.modules) {
    bool is_repeated = repeated.contain(owner.module);
    std::unordered_set<const at::TensorImpl*> own;
    for (const auto& parameter : owner.module.named_parameters(false)) {
      const at::Tensor& tensor = parameter.value;
      if (!own.insert(tensor.unsafeGetTensorImpl()).second) continue;
      std::string name = owner.path.empty() ? parameter.name : owner.path + '.' + parameter.name;
      auto [found, is_new] = known.try_emplace(tensor.unsafeGetTensorImpl(), model.tensors.size());
      if (!is_new) {
        model.parameters[found->second].aliases.push_back(name);
        if (!is_repeated) ddp_names[found->second] = name;
        continue;
      }
      ddp_names.push_back(name);
      model.tensors.push_back(tensor);
      model.parameters.push_back(
          {.name = name, .shape = tensor.sizes().vec(), .dtype = dtype_name(tensor), .requires_grad = tensor.requires_grad()});
    }
  }
  for (std::size_t k = 0; k < ddp_names.size(); ++k)
    if (Parameter& parameter = model.parameters[k]; !parameter.aliases.empty() && parameter.aliases.back() != ddp_names[k])
      parameter.ddp_name = ddp_names[k];
}

StatedInput read_input(const nlohmann::json& json) {
  StatedInput input;
  input.name = json.at("name").get<std::string>();
  input.dtype = json.at("dtype").get<std::string>();
  input.shape = json.at("shape").get<std::vector<std::int64_t>>();
  input.requires_grad = json.value("requires_grad", false);
  input.origin = InputOrigin::metadata;
  if (!c10::getStringToDtypeMap().contains(input.dtype))
    throw std::invalid_argument(fmt::format("unknown dtype \"{}\"", input.dtype));
  if (std::any_of(input.shape.begin(), input.shape.end(), [](std::int64_t size) { return size < 0; }))
    throw std::invalid_argument(fmt::format("input {} has a negative size", input.name));
  if (auto range = json.find("range"); range != json.end()) {
    input.low = range->at(0).get<std::int64_t>();
    input.high = range->at(1).get<std::int64_t>();
  }
  if (auto values = json.find("values"); values != json.end()) input.values = values->get<std::vector<std::int64_t>>();
  if (input.high < input.low) throw std::invalid_argument(fmt::format("input {} has an empty range", input.name));
  return input;
}

// "name", or {"name": "name", "ddp_name": "name"}.
StatedParameter read_parameter(const nlohmann::json& json) {
  if (json.is_string()) return {.name = json.get<std::string>()};
  return {.name = json.at("name").get<std::string>(), .ddp_name = json.value("ddp_name", "")};
}

// Whether the path is that of forward's return value itself or of a member of a tuple: "output", "output[1]". A member of a
// list has the same path.
bool looks_direct(std::string_view path) {
  constexpr std::string_view whole = "output";
  if (!path.starts_with(whole)) return false;
  path.remove_prefix(whole.size());
  if (path.empty()) return true;
  return path.size() > 2 && path.front() == '[' && path.find_first_not_of("0123456789", 1) == path.size() - 1 &&
         path.back() == ']';
}

Output read_output(const nlohmann::json& json) {
  Output output{.path = json.at("path").get<std::string>(), .found_by_ddp = json.value("found_by_ddp", true)};
  output.behind_sink = json.value("behind_sink", output.found_by_ddp);
  output.direct = json.value("direct", output.found_by_ddp && looks_direct(output.path));
  return output;
}

ExportedSetup read_setup(const nlohmann::json& json) {
  ExportedSetup setup{.known = true,
                      .find_unused_parameters = json.value("find_unused_parameters", false),
                      .static_graph = json.value("static_graph", false),
                      .gradient_as_bucket_view = json.value("gradient_as_bucket_view", false)};
  if (auto cap = json.find("bucket_cap_mb"); cap != json.end() && !cap->is_null()) setup.bucket_cap_mb = cap->get<double>();
  if (setup.bucket_cap_mb && !(*setup.bucket_cap_mb > 0)) throw std::invalid_argument("bucket_cap_mb is not a positive number");
  return setup;
}

StatedObservation read_observation(const nlohmann::json& json) {
  return {.firings = json.value("firings", std::vector<std::pair<std::string, int>>()),
          .reason = json.value("reason", ""),
          .error = json.value("error", "")};
}

StatedRecomputation read_recomputation(const nlohmann::json& json) {
  if (json.is_null()) return {};
  StatedRecomputation recomputation{.difference = json.at("difference").get<std::string>()};
  const std::string word = json.value("mismatch", "");
  for (Mismatch each : {Mismatch::unknown, Mismatch::raises, Mismatch::unnoticed, Mismatch::harmless})
    if (to_string(each) == word) return {recomputation.difference, each};
  throw std::invalid_argument(fmt::format("\"{}\" is no mismatch", word));
}

Metadata read_metadata(const nlohmann::json& json) {
  if (!json.is_object() || json.value("schema", "") != metadata_schema)
    throw std::invalid_argument(fmt::format("it does not have \"schema\": \"{}\"", metadata_schema));
  using Strings = std::vector<std::string>;
  Metadata metadata{.torch = json.value("torch", ""),
                    .regions_known = json.value("regions_known", false),
                    .loss = json.value("loss", Strings()),
                    .loss_guessed = json.value("loss_guessed", false),
                    .notes = json.value("notes", Strings()),
                    .dropping = json.value("dropping", Strings()),
                    .varying = json.value("varying", Strings()),
                    .ended = json.value("ended", Strings())};
  if (auto observed = json.find("observed"); observed != json.end()) metadata.observed = read_observation(*observed);
  if (auto ddp = json.find("ddp"); ddp != json.end()) metadata.exported = read_setup(*ddp);
  for (const auto& parameter : json.value("parameters", nlohmann::json::array()))
    metadata.parameters.push_back(read_parameter(parameter));
  for (const auto& input : json.value("inputs", nlohmann::json::array())) metadata.inputs.push_back(read_input(input));
  for (const auto& each : json.value("recomputations", nlohmann::json::array()))
    metadata.recomputations.push_back(read_recomputation(each));
  for (const auto& output : json.value("outputs", nlohmann::json::array())) metadata.outputs.push_back(read_output(output));
  return metadata;
}

Error damaged_metadata(const std::string& path, const std::string& problem) {
  return Error(Failure::not_a_model, path, "its gradscan.json is damaged: " + problem,
               "export the model again with gradscan.export");
}

Metadata parse_metadata(const std::string& path, const std::string& text) {
  try {
    return text.empty() ? Metadata{} : read_metadata(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    std::string words = error.what();  // "[json.exception.type_error.302] type must be ..."
    throw damaged_metadata(path, words.substr(words.find("] ") + 2));
  } catch (const std::invalid_argument& error) {
    throw damaged_metadata(path, error.what());
  }
}

// Restores the original module's order, which the file states if gradscan exported it.
void reorder_parameters(const std::string& path, Model& model) {
  if (model.metadata.parameters.empty()) return;
  std::vector<Parameter> parameters;
  std::vector<at::Tensor> tensors;
  try {
    for (std::size_t k : stated_order(model.metadata.parameters, model.parameters)) {
      parameters.push_back(model.parameters[k]);
      tensors.push_back(model.tensors[k]);
    }
  } catch (const std::invalid_argument& error) {
    throw damaged_metadata(path, error.what());
  }
  model.parameters = std::move(parameters);
  model.tensors = std::move(tensors);
}

void require_trainable(const std::string& path, const Model& model) {
  if (!model.module.find_method("forward"))
    throw Error(Failure::not_a_model, path, "has no method forward", "export the module that the training script calls");
  if (model.parameters.empty())
    throw Error(Failure::not_a_model, path, "has no parameters, perhaps because it was frozen",
                "export the model as it is trained, without torch.jit.freeze");
  if (std::none_of(model.tensors.begin(), model.tensors.end(), [](const at::Tensor& t) { return t.requires_grad(); }))
    throw Error(Failure::not_a_model, path, "has no parameter that requires grad",
                "export the model as it is trained, with the same requires_grad");
}

}  // namespace

bool is_checkpoint_wrapper(const torch::jit::Module& module) {
  auto name = module.type()->name();
  return name && name->name() == "CheckpointWrapper";
}

Model load_model(const std::string& path) {
  require_torchscript(path);
  std::string metadata;
  Model model{.module = load_module(path, metadata)};
  model.metadata = parse_metadata(path, metadata);
  model.module.train();
  replace_devices(model.module);
  model.modules = modules_of(model.module);
  collect_parameters(model);
  require_trainable(path, model);
  reorder_parameters(path, model);
  model.traced_inputs = read_traced_inputs(path);
  return model;
}

}  // namespace gradscan
