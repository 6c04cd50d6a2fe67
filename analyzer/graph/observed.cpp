#include "analyzer/graph/observed.h"

#include <algorithm>

#include "gradscan/firings.h"
#include "gradscan/graph.h"

namespace gradscan {
namespace {

// For each position in Capture::parameters.
std::vector<Disagreement> predicted(const Capture& capture) {
  std::vector<Disagreement> counts;
  for (const Parameter& parameter : capture.parameters) counts.push_back({.parameter = parameter.name});
  const GradGraph graph(capture, Checkpointing::as_given);
  const Firings firings = count_firings(capture, graph, loss_roots(capture));
  const std::vector<int> order = ddp_order(capture);
  for (std::size_t index = 0; index < order.size(); ++index) {
    const std::vector<Cause>& causes = firings.causes[index];
    Disagreement& count = counts[order[index]];
    count.predicted = static_cast<int>(causes.size());
    count.predicted_inner = static_cast<int>(std::ranges::count_if(causes, &Cause::is_region));
  }
  return counts;
}

bool agree(const Disagreement& count) {
  return count.predicted == count.observed && count.predicted_inner == count.observed_inner;
}

}  // namespace

std::vector<Disagreement> disagreements(const Capture& capture) {
  if (!capture.observed.made || !capture.observed.reason.empty() || !capture.observed.error.empty())
    return capture.disagreements;
  std::vector<Disagreement> counts = predicted(capture);
  for (auto [parameter, pass] : capture.observed.firings) {
    ++counts[parameter].observed;
    counts[parameter].observed_inner += pass > 0;
  }
  std::erase_if(counts, agree);
  return counts;
}

void settle_observation(Capture& capture) {
  capture.disagreements = disagreements(capture);
  if (capture.observed.reason.empty()) capture.observed = {};
}

}  // namespace gradscan
