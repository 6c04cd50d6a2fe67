#include "gradscan/replay.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <optional>

#include "analyzer/data/rules.h"
#include "analyzer/graph/in_turn.h"
#include "analyzer/replay/buckets.h"
#include "analyzer/replay/ddp_message.h"
#include "analyzer/replay/observations.h"
#include "analyzer/replay/reducer.h"
#include "analyzer/replay/skeleton.h"
#include "analyzer/replay/training.h"
#include "analyzer/torch/silent_warnings.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

using InTurn = std::span<const Capture>;

// torch's message without the C++ stack, as a Python user sees it.
std::string words_of(const std::exception& error) {
  auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error ? torch_error->what_without_backtrace() : error.what();
}

void fail(Verdict& verdict, const std::string& message, std::optional<int> iteration) {
  verdict.message = message;
  verdict.outcome = outcome_of(message);
  verdict.iteration = iteration;
  verdict.parameters = parameters_named_in(message);
}

// Fills in everything except the buckets; returns the order in which gradients arrived.
std::vector<int> train(InTurn in_turn, Replay& replay) {
  const Setup setup = replay.verdict.setup;
  std::optional<DdpReducer> reducer;
  Observations observations(ddp_order(in_turn.front()).size());
  Skeleton skeleton(in_turn, setup.checkpointing, [&](Firing firing) { observations.add_firing(firing, reducer->hearing()); });
  reducer.emplace(skeleton.parameters(), in_turn.front(), setup);
  Training training(in_turn, skeleton, &*reducer, setup.step);
  for (int iteration = 0; iteration < replay.verdict.iterations && replay.verdict.message.empty(); ++iteration) {
    try {
      training.run_iteration();
      observations.end_iteration(skeleton.gradients(), reducer->other_gradients());
      observations.begin_iteration();
    } catch (const std::exception& error) {
      fail(replay.verdict, words_of(error), iteration);
    }
  }
  replay.causes = observations.causes();
  if (replay.verdict.outcome == Outcome::pass) observations.fill(replay.verdict);
  return reducer->arrival_order();
}

void place_in_buckets(Replay& replay) {
  std::map<int, int> bucket_of;
  for (std::size_t bucket = 0; bucket < replay.buckets.size(); ++bucket)
    for (int parameter : replay.buckets[bucket]) bucket_of[parameter] = static_cast<int>(bucket);
  for (LocalGradient& local : replay.verdict.local) local.bucket = bucket_of.at(local.parameter);
}

void check_same_model(InTurn in_turn) {
  if (in_turn.empty()) throw Error(Failure::usage, "", "there is no capture to replay", "pass at least one");
  for (const Capture& capture : in_turn)
    if (!of_one_model(in_turn.front(), capture))
      throw Error(Failure::usage, capture.model, fmt::format("its parameters differ from those of {}", in_turn.front().model),
                  "pass captures of one model, made with different inputs");
}

}  // namespace

EngineRun run_engine(InTurn in_turn, Checkpointing checkpointing, const TrainingStep& step) {
  check_same_model(in_turn);
  SilentWarnings silent;
  EngineRun run{Causes(ddp_order(in_turn.front()).size()), ""};
  Skeleton skeleton(in_turn, checkpointing, [&](Firing firing) { run.causes[firing.parameter].push_back(firing.cause); });
  try {
    Training(in_turn, skeleton, nullptr, step).run_iteration();
  } catch (const std::exception& error) {
    run.error = words_of(error);
  }
  for (std::vector<Cause>& causes : run.causes) std::sort(causes.begin(), causes.end());
  return run;
}

Replay replay(InTurn in_turn, const Setup& setup) {
  check_same_model(in_turn);
  SilentWarnings silent;
  Replay replay;
  replay.verdict.setup = setup;
  replay.verdict.iterations = iterations_for(turns_of(in_turn), setup.step);
  const Capture& first = in_turn.front();
  if (ddp_order(first).empty()) {
    fail(replay.verdict,
         "DistributedDataParallel is not needed when a module doesn't have any parameters that require a gradient.", {});
    return replay;
  }
  std::vector<int> arrival_order = train(in_turn, replay);
  replay.buckets = bucket_layout(first, setup, arrival_order);
  place_in_buckets(replay);
  return replay;
}

EngineRun run_engine(const Capture& capture, Checkpointing checkpointing, const TrainingStep& step) {
  return run_engine(graphs_of(capture), checkpointing, step);
}

Replay replay(const Capture& capture, const Setup& setup) {
  return replay(graphs_of(capture), setup);
}

}  // namespace gradscan
