#include "analyzer/capture/capture_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <filesystem>
#include <set>

#include "analyzer/capture/inputs.h"
#include "analyzer/capture/instrument.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/loss.h"
#include "analyzer/capture/markers.h"
#include "analyzer/capture/patterns.h"
#include "analyzer/capture/recorder.h"
#include "analyzer/capture/walk.h"
#include "analyzer/torch_adapter.h"
#include "gradscan/error.h"
#include "gradscan/replay.h"

namespace gradscan {
namespace {

// Random numbers of the model come from a fixed seed; the caller's generator is left as it was.
class FixedSeed {
 public:
  FixedSeed() : generator_(at::detail::getDefaultCPUGenerator()), state_(generator_.get_state()) {
    generator_.set_current_seed(0);
  }
  ~FixedSeed() { generator_.set_state(state_); }

 private:
  at::Generator generator_;
  at::Tensor state_;
};

// Torch's warnings are not gradscan's: the library prints nothing.
class NoWarnings : c10::WarningHandler {
 public:
  NoWarnings() : guard_(this) {}

 private:
  void process(const c10::Warning&) override {}
  c10::WarningUtils::WarningHandlerGuard guard_;
};

// Which modules are checkpoint regions, and of what kind.
class RegionChoice {
 public:
  RegionChoice(const Model& model, const std::set<std::string>& named_by_file, const std::vector<CheckpointPattern>& patterns) {
    std::set<std::string> names = named_by_file;
    for (const NamedModule& named : model.modules) {
      RecordedModule module{.path = named.path};
      if (is_checkpoint_wrapper(named.module)) {
        module.region = {.label = named.path, .name = named.path, .kind = Kind::non_reentrant, .origin = "CheckpointWrapper"};
        names.insert(named.path);
      }
      if (!named.path.empty() && !named_by_file.contains(named.path)) apply(patterns, module);
      if (!named.path.empty()) names.insert(named.path);
      modules.emplace(named.module._ivalue().get(), std::move(module));
    }
    for (const CheckpointPattern& pattern : patterns) check_matches(pattern, {names.begin(), names.end()});
  }

  Recorder::Modules modules;

 private:
  static void apply(const std::vector<CheckpointPattern>& patterns, RecordedModule& module) {
    for (const CheckpointPattern& pattern : patterns) {
      if (!glob_match(pattern.glob, module.path)) continue;
      if (!module.region) module.region = {.label = module.path, .name = module.path, .origin = "pattern"};
      module.region->kind = pattern.kind;
    }
    if (module.region && module.region->origin == "pattern" && module.region->kind == Kind::off) module.region.reset();
  }

  static void check_matches(const CheckpointPattern& pattern, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      if (glob_match(pattern.glob, name)) return;
    throw no_match(pattern, names);
  }
};

// Regions that the file itself names get the kind that a pattern gives them.
void apply_to_named_regions(Capture& capture, const std::vector<CheckpointPattern>& patterns) {
  for (Region& region : capture.regions)
    for (const CheckpointPattern& pattern : patterns)
      if (region.origin != "pattern" && glob_match(pattern.glob, region.name)) region.kind = pattern.kind;
}

c10::IValue run_forward(const std::string& path, Model& model, const Inputs& inputs, Recorder& recorder) {
  try {
    c10::IValue result = model.module.forward(inputs.arguments);
    if (const RecordedRegion* region = recorder.open_region())
      throw MarkerError("has no marker that ends region " + region->start.label);
    return result;
  } catch (const MarkerError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw out_of_memory(path);
    if (recorder.failure) std::rethrow_exception(recorder.failure);
    throw Error(Failure::model_failed, path, "forward failed: " + last_error_line(error),
                "check the inputs, or give others with --input NAME=DTYPE[SHAPE]");
  }
}

bool reaches_parameter(const Capture& capture) {
  std::vector<bool> reached(capture.nodes.size());
  for (const Output& output : capture.outputs)
    if (output.edge.node != none) reached[output.edge.node] = true;
  for (std::size_t id = capture.nodes.size(); id-- > 0;) {
    if (!reached[id]) continue;
    if (capture.nodes[id].role == Role::parameter) return true;
    for (GradEdge edge : capture.nodes[id].next)
      if (edge.node != none) reached[edge.node] = true;
  }
  return false;
}

Capture describe(const std::string& path, const Model& model, const Inputs& inputs) {
  Capture capture;
  capture.model = std::filesystem::path(path).filename().string();
  capture.torch = torch_version();
  capture.written_by = model.metadata.torch;
  capture.exported = model.metadata.exported;
  capture.parameters = model.parameters;
  capture.inputs = inputs.tensors;
  capture.notes = model.metadata.notes;
  return capture;
}

Capture run_and_walk(const std::string& path, const CaptureOptions& options) {
  at::AutoGradMode grad_mode(true);
  torch::jit::GraphOptimizerEnabledGuard optimizer_off(false);
  NoWarnings no_warnings;
  FixedSeed fixed_seed;

  Model model = load_model(path);
  RegionChoice choice(model, instrument(model.modules), options.checkpoint);
  Inputs inputs = make_inputs(path, model, options.inputs);

  Capture capture = describe(path, model, inputs);
  Recorder recorder(std::move(choice.modules));
  c10::IValue result = run_forward(path, model, inputs, recorder);
  walk_graph(model, inputs, recorder, result, capture);
  apply_to_named_regions(capture, options.checkpoint);
  if (!reaches_parameter(capture))
    throw Error(Failure::not_a_model, path, "its output does not depend on any parameter that requires grad",
                "export the model as it is trained, in training mode");
  choose_loss(capture, options.loss);
  validate(capture, path);
  return capture;
}

}  // namespace

Capture capture_model(const std::string& path, const CaptureOptions& options) {
  try {
    return run_and_walk(path, options);
  } catch (const MarkerError& error) {
    throw Error(Failure::not_a_model, path, error.what(), "export the model again with the same version of gradscan");
  }
}

}  // namespace gradscan
