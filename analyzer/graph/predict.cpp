#include "analyzer/graph/predict.h"

#include <algorithm>
#include <string>

#include "analyzer/internal_error.h"
#include "gradscan/graph.h"

namespace gradscan {
namespace {

std::string to_text(const std::vector<int>& causes) {
  std::string text;
  for (int cause : causes) text += (text.empty() ? "" : ", ") + (cause == outer_graph ? "outer" : std::to_string(cause));
  return "[" + text + "]";
}

[[noreturn]] void differ(const Capture& capture, std::size_t index, const std::string& where, const std::vector<int>& predicted,
                         const std::vector<int>& shown) {
  const Parameter& parameter = capture.parameters[ddp_order(capture)[index]];
  throw internal_error(capture.model, "the graph predicts the firings " + to_text(predicted) + " for parameter " +
                                          std::to_string(index) + " (" + parameter.name + "), but torch's engine shows " +
                                          to_text(shown) + " " + where);
}

bool agree(const std::vector<int>& predicted, std::vector<int> shown, bool finished) {
  std::sort(shown.begin(), shown.end());
  return finished ? predicted == shown : std::includes(predicted.begin(), predicted.end(), shown.begin(), shown.end());
}

void compare(const Capture& capture, const Firings& predicted, const std::vector<std::vector<int>>& shown, bool finished,
             const std::string& where) {
  for (std::size_t index = 0; index < predicted.causes.size(); ++index)
    if (!agree(predicted.causes[index], shown.at(index), finished))
      differ(capture, index, where, predicted.causes[index], shown[index]);
}

}  // namespace

Prediction predict(const Capture& capture, Checkpointing checkpointing) {
  GradGraph graph(capture, checkpointing);
  return {count_firings(capture, graph, loss_roots(capture)), count_firings(capture, graph, sink_roots(capture, graph)),
          seen_by_search(capture, graph)};
}

bool has_sink(const Setup& setup, int iteration) {
  return setup.static_graph ? iteration == 0 : setup.find_unused_parameters;
}

const Firings& firings_in(const Prediction& prediction, const Setup& setup, int iteration) {
  return has_sink(setup, iteration) ? prediction.from_sink : prediction.from_loss;
}

int ready_marks(const Prediction& prediction, const Setup& setup, int index) {
  std::size_t first = firings_in(prediction, setup, 0).causes[index].size();
  if (setup.static_graph) return prediction.from_loss.causes[index].size() < first ? 0 : 1;
  bool marked_by_search = setup.find_unused_parameters && !prediction.seen[index];
  return static_cast<int>(first) + (marked_by_search ? 1 : 0);
}

void check_run(const Capture& capture, const Prediction& prediction, const EngineRun& run) {
  compare(capture, prediction.from_loss, run.causes, run.error.empty(), "without DDP");
}

void check_replay(const Capture& capture, const Prediction& prediction, const Replay& replay) {
  for (std::size_t iteration = 0; iteration < replay.causes.size(); ++iteration)
    compare(capture, firings_in(prediction, replay.verdict.setup, static_cast<int>(iteration)), replay.causes[iteration], true,
            "in iteration " + std::to_string(iteration) + " of " + ddp_call(replay.verdict.setup));
}

}  // namespace gradscan
