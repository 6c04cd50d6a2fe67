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

std::vector<Disagreement> differences(std::vector<Disagreement> counts, const Observation& observed) {
  for (auto [parameter, pass] : observed.firings) {
    ++counts[parameter].observed;
    counts[parameter].observed_inner += pass > 0;
  }
  std::erase_if(counts, agree);
  return counts;
}

// Nothing requires grad, in all or inside a region that backward executes, or two backward passes need the same saved tensors.
bool predicts_error(const Capture& capture) {
  const GradGraph graph(capture, Checkpointing::as_given);
  const std::vector<GradEdge> roots = loss_roots(capture);
  const auto leads_nowhere = [&](GradEdge root) { return graph.target(root) == none; };
  const Firings firings = count_firings(capture, graph, roots);
  for (std::size_t region = 0; region < capture.regions.size(); ++region)
    if (firings.executed[region] && graph.inner_roots(static_cast<int>(region)).empty()) return true;
  return std::ranges::all_of(roots, leads_nowhere) || firings.runs_twice;
}

bool has_firings(const Capture& capture) {
  return capture.observed.made && capture.observed.reason.empty() && capture.observed.error.empty();
}

// With the graph that agrees, if there is one, else with the first.
std::vector<Disagreement> smallest_difference(const Capture& capture) {
  std::vector<Disagreement> found = differences(predicted(capture), capture.observed);
  for (const Capture& further : capture.further)
    if (found.empty() || differences(predicted(further), capture.observed).empty()) return {};
  return found;
}

void raise_to(std::vector<Disagreement>& most, const std::vector<Disagreement>& others) {
  for (std::size_t at = 0; at < most.size(); ++at) {
    most[at].predicted = std::max(most[at].predicted, others[at].predicted);
    most[at].predicted_inner = std::max(most[at].predicted_inner, others[at].predicted_inner);
  }
}

}  // namespace

std::vector<Disagreement> disagreements(const Capture& capture) {
  if (!has_firings(capture)) return capture.disagreements;
  return ran_another_graph(capture) ? std::vector<Disagreement>() : smallest_difference(capture);
}

bool ran_another_graph(const Capture& capture) {
  const bool differs = std::ranges::any_of(capture.regions, [](const Region& each) { return !each.recomputation.empty(); });
  const bool varies = differs || !capture.further.empty() || !capture.varying.empty() || !capture.dropping.empty();
  if (!varies || !has_firings(capture) || smallest_difference(capture).empty()) return false;
  if (differs) return true;
  std::vector<Disagreement> most = predicted(capture);
  for (const Capture& further : capture.further) raise_to(most, predicted(further));
  return std::ranges::none_of(differences(std::move(most), capture.observed), [](const Disagreement& each) {
    return each.observed > each.predicted || each.observed_inner > each.predicted_inner;
  });
}

std::string unexplained_error(const Capture& capture) {
  if (capture.observed.error.empty()) return capture.backward_error;
  return predicts_error(capture) || std::ranges::any_of(capture.further, predicts_error) ? "" : capture.observed.error;
}

void settle_observation(Capture& capture) {
  if (ran_another_graph(capture)) capture.ended.emplace_back(another_graph);
  capture.disagreements = disagreements(capture);
  capture.backward_error = unexplained_error(capture);
  if (capture.observed.reason.empty()) capture.observed = {};
}

}  // namespace gradscan
