#include "analyzer/replay/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "analyzer/base/internal_error.h"

namespace gradscan {
namespace {

std::string to_text(const std::vector<Cause>& causes) {
  std::vector<std::string> words;
  for (Cause cause : causes) words.push_back(cause == outer_graph ? "outer" : std::to_string(cause.region()));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

[[noreturn]] void differ(const Capture& capture, std::size_t index, const std::string& where,
                         const std::vector<Cause>& predicted, const std::vector<Cause>& shown) {
  const Parameter& parameter = capture.parameters[ddp_order(capture)[index]];
  throw internal_error(capture.model,
                       fmt::format("the graph predicts the firings {} for parameter {} ({}), but torch's engine shows {} {}",
                                   to_text(predicted), index, parameter.name, to_text(shown), where));
}

bool agree(const std::vector<Cause>& predicted, std::vector<Cause> shown, bool finished) {
  std::sort(shown.begin(), shown.end());
  return finished ? predicted == shown : std::includes(predicted.begin(), predicted.end(), shown.begin(), shown.end());
}

void compare(const Capture& capture, const Causes& predicted, const Causes& shown, bool finished, const std::string& where) {
  for (std::size_t index = 0; index < predicted.size(); ++index)
    if (!agree(predicted[index], shown.at(index), finished)) differ(capture, index, where, predicted[index], shown[index]);
}

}  // namespace

void check_run(const Capture& capture, const Prediction& prediction, const TrainingStep& step, const EngineRun& run) {
  compare(capture, firings_without_ddp(prediction, step, 0), run.causes, run.error.empty(), "without DDP");
}

void check_replay(const Capture& capture, const Prediction& prediction, const Replay& replay) {
  for (std::size_t iteration = 0; iteration < replay.causes.size(); ++iteration)
    compare(capture, firings_in(prediction, replay.verdict.setup, static_cast<int>(iteration)), replay.causes[iteration], true,
            fmt::format("in iteration {} of {}", iteration, ddp_call(replay.verdict.setup)));
}

}  // namespace gradscan
