#include "analyzer/capture/capture_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <filesystem>
#include <functional>
#include <ranges>
#include <set>

#include "analyzer/capture/inputs.h"
#include "analyzer/capture/instrument.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/loss.h"
#include "analyzer/capture/markers.h"
#include "analyzer/capture/recorder.h"
#include "analyzer/capture/region_choice.h"
#include "analyzer/capture/trace_notes.h"
#include "analyzer/capture/walk.h"
#include "analyzer/graph/patterns.h"
#include "analyzer/text/globs.h"
#include "analyzer/torch/silent_warnings.h"
#include "analyzer/torch/torch_adapter.h"
#include "gradscan/capture_file.h"
#include "gradscan/error.h"
#include "gradscan/firings.h"
#include "gradscan/graph.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

// The model draws its random numbers from a fixed seed; the caller's generator is restored.
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

// Applies the kinds in patterns to regions that the file itself names.
void apply_to_named_regions(Capture& capture, const std::vector<CheckpointPattern>& patterns) {
  for (Region& region : capture.regions)
    for (const CheckpointPattern& pattern : patterns)
      if (region.origin != RegionOrigin::pattern && region.origin != RegionOrigin::module &&
          glob_match(pattern.glob, region.name))
        region.kind = pattern.kind;
}

// What torch.jit.fork would run in another thread runs at once in this thread, the only one that is recorded.
void run_here(std::function<void()> task) {
  task();
}

c10::IValue run_forward(const std::string& path, Model& model, const Inputs& inputs, Recorder& recorder) {
  try {
    auto future = model.module.get_method("forward").run_async(inputs.arguments, {}, run_here);
    future->waitAndThrow();
    c10::IValue result = future->value();
    if (const RecordedRegion* region = recorder.open_region())
      throw MarkerError("has no marker that ends region " + region->start.label);
    return result;
  } catch (const MarkerError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw out_of_memory(path);
    if (recorder.failure) std::rethrow_exception(recorder.failure);
    throw Error(Failure::model_failed, path, "forward failed: " + last_error_line(error),
                "check the inputs, or pass others with --input NAME=DTYPE[SHAPE]");
  }
}

// Whether the outputs depend on a parameter under some kind of checkpointing: which outputs require grad depends on the kind.
bool reaches_parameter(const Capture& capture) {
  std::vector<GradEdge> outputs;
  for (const Output& output : capture.outputs) outputs.push_back(output.edge);
  for (Checkpointing checkpointing : {Checkpointing::reentrant, Checkpointing::off}) {
    Firings firings = count_firings(capture, GradGraph(capture, checkpointing), outputs);
    for (const std::vector<Cause>& causes : firings.causes)
      if (!causes.empty()) return true;
  }
  return false;
}

Capture describe(const std::string& path, const Model& model, const Inputs& inputs) {
  Capture capture;
  capture.model = std::filesystem::path(path).filename().string();
  capture.torch = torch_version();
  capture.written_by = model.metadata.torch;
  capture.exported = model.metadata.exported;
  capture.regions_known = model.metadata.regions_known;
  capture.parameters = model.parameters;
  capture.inputs = inputs.tensors;
  capture.notes = model.metadata.notes;
  capture.dropping = model.metadata.dropping;
  capture.varying = model.metadata.varying;
  capture.ended = model.metadata.ended;
  return capture;
}

// What was observed holds for the model as the file has it, and for the inputs that it was exported with.
Observation observation_of(const std::string& path, const Model& model, const CaptureOptions& options) {
  const std::optional<StatedObservation>& stated = model.metadata.observed;
  if (!stated) return {};
  if (!options.checkpoint.empty() || !options.inputs.empty() || !options.loss.empty())
    return {.made = true, .reason = "the one at the time of the export had other options"};
  Observation observation{.made = true, .reason = stated->reason, .error = stated->error};
  for (const auto& [name, pass] : stated->firings) {
    auto found = std::ranges::find(model.parameters, name, &Parameter::name);
    if (found == model.parameters.end())
      throw Error(Failure::not_a_model, path, "its gradscan.json is damaged: it names a firing of " + name,
                  "export the model again with gradscan.export");
    observation.firings.push_back({static_cast<int>(found - model.parameters.begin()), pass});
  }
  return observation;
}

// Other inputs may lead to other regions, of which nothing is stated.
void add_recomputations(Capture& capture, const std::vector<StatedRecomputation>& stated) {
  const auto is_marked = [](const Region& region) { return region.origin == RegionOrigin::marker; };
  if (static_cast<std::size_t>(std::ranges::count_if(capture.regions, is_marked)) != stated.size()) return;
  auto next = stated.begin();
  for (Region& region : capture.regions | std::views::filter(is_marked)) {
    region.recomputation = next->difference;
    region.mismatch = next++->mismatch;
  }
}

Capture run_and_walk(const std::string& path, const CaptureOptions& options) {
  at::AutoGradMode grad_mode(true);
  torch::jit::GraphOptimizerEnabledGuard optimizer_off(false);
  SilentWarnings silent;
  FixedSeed fixed_seed;

  Model model = load_model(path);
  Recorder::Modules modules = choose_regions(model, instrument(model.modules), options.checkpoint, options.every_module);
  Inputs inputs = make_inputs(path, model, options.inputs);

  Capture capture = describe(path, model, inputs);
  Recorder recorder(std::move(modules));
  c10::IValue result = run_forward(path, model, inputs, recorder);
  walk_graph(model, inputs, recorder, result, capture);
  add_recomputations(capture, model.metadata.recomputations);
  apply_to_named_regions(capture, options.checkpoint);
  if (model.traced_inputs)
    for (std::string& note : trace_notes(capture)) capture.notes.push_back(std::move(note));
  validate(capture, path);
  if (!reaches_parameter(capture))
    throw Error(Failure::not_a_model, path, "its output does not depend on any parameter that requires grad",
                "export the model as it is trained, in training mode");
  if (options.loss.empty()) {
    choose_stated_loss(capture, model.metadata.loss, path);
    capture.loss_guessed = model.metadata.loss_guessed;
  } else {
    choose_loss({&capture}, options.loss);
  }
  capture.observed = observation_of(path, model, options);
  hide_outputs({&capture}, options.hidden);
  return capture;
}

}  // namespace

Capture capture_model(const std::string& path, const CaptureOptions& options) {
  try {
    return run_and_walk(path, options);
  } catch (const MarkerError& error) {
    throw Error(Failure::not_a_model, path, error.what(), "export the model again with the same version of gradscan");
  } catch (const c10::Error& error) {  // torch reads parts of a file, such as its source lines, only on demand
    throw Error(Failure::model_failed, path, "cannot be loaded or run: " + last_error_line(error),
                "the file may be damaged: copy or export it again");
  }
}

}  // namespace gradscan
