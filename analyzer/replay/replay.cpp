#include "gradscan/replay.h"

#include <c10/util/Exception.h>

#include <exception>
#include <utility>

#include "analyzer/replay/buckets.h"
#include "analyzer/replay/ddp_message.h"
#include "analyzer/replay/reducer.h"
#include "analyzer/replay/skeleton.h"
#include "analyzer/silent_warnings.h"

namespace gradscan {
namespace {

// torch's words without the C++ stack: what a Python user sees.
std::string words_of(const std::exception& error) {
  auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error ? torch_error->what_without_backtrace() : error.what();
}

std::vector<bool> found_outputs(const Capture& capture) {
  std::vector<bool> found;
  for (const Output& output : capture.outputs) found.push_back(output.found_by_ddp);
  return found;
}

GradientEdges in_loss(const Capture& capture, const GradientEdges& outputs) {
  GradientEdges edges;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (capture.outputs[i].in_loss) edges.push_back(outputs[i]);
  return edges;
}

std::vector<std::string> ddp_names(const Capture& capture) {
  std::vector<std::string> names;
  for (int id : ddp_order(capture)) names.push_back(ddp_name(capture.parameters[id]));
  return names;
}

// What is seen of each parameter over the iterations, by DDP index.
struct Observations {
  explicit Observations(std::size_t parameters) : averaged(parameters, true), trained(parameters, false) {}

  // A synchronised gradient is half of what this rank has contributed: the other rank has contributed zero.
  void add(const std::vector<float>& gradients, const std::vector<float>& local) {
    for (std::size_t index = 0; index < gradients.size(); ++index) {
      if (gradients[index] * 2 != local[index]) averaged[index] = false;
      if (gradients[index] != 0) trained[index] = true;
    }
  }

  std::vector<bool> averaged, trained;
};

std::vector<int> indices_of_false(const std::vector<bool>& flags) {
  std::vector<int> indices;
  for (std::size_t index = 0; index < flags.size(); ++index)
    if (!flags[index]) indices.push_back(static_cast<int>(index));
  return indices;
}

void fail(Verdict& verdict, const std::string& message, std::optional<int> iteration) {
  verdict.message = message;
  verdict.outcome = outcome_of(message);
  verdict.iteration = iteration;
  verdict.parameters = parameters_named_in(message);
}

// Fills everything but the buckets; returns the order in which gradients arrived.
std::vector<int> train(const Capture& capture, Replay& replay) {
  Setup setup = replay.verdict.setup;
  Skeleton skeleton(capture, setup.checkpointing);
  DdpReducer reducer(skeleton.parameters(), ddp_names(capture), setup);
  Observations observations(skeleton.parameters().size());
  for (int iteration = 0; iteration < replay_iterations; ++iteration) {
    try {
      skeleton.zero_grad();
      reducer.before_forward();
      GradientEdges outputs = reducer.after_forward(skeleton.forward(), found_outputs(capture));
      skeleton.backward(in_loss(capture, outputs));
    } catch (const std::exception& error) {
      fail(replay.verdict, words_of(error), iteration);
      return reducer.arrival_order();
    }
    replay.causes.push_back(skeleton.take_causes());
    observations.add(skeleton.gradients(), skeleton.local_gradients());
  }
  replay.verdict.unsynchronised = indices_of_false(observations.averaged);
  replay.verdict.untrained = indices_of_false(observations.trained);
  return reducer.arrival_order();
}

}  // namespace

EngineRun run_engine(const Capture& capture, Checkpointing checkpointing) {
  SilentWarnings silent;
  Skeleton skeleton(capture, checkpointing);
  EngineRun run;
  try {
    skeleton.backward(in_loss(capture, skeleton.forward()));
  } catch (const std::exception& error) {
    run.error = words_of(error);
  }
  run.causes = skeleton.take_causes();
  return run;
}

Replay replay(const Capture& capture, const Setup& setup) {
  SilentWarnings silent;
  Replay replay;
  replay.verdict.setup = setup;
  if (ddp_order(capture).empty()) {
    fail(replay.verdict,
         "DistributedDataParallel is not needed when a module doesn't have any parameters that require a gradient.", {});
    return replay;
  }
  std::vector<int> arrival_order = train(capture, replay);
  replay.buckets = bucket_layout(capture, setup, arrival_order);
  return replay;
}

}  // namespace gradscan
