// Each difference is applied to the first side by itself and replayed. It decides if it gives the first the second's outcome as
// the table of setups puts it: two errors of one kind are the same outcome, wherever they come from. What was observed in a
// real run holds for neither side once it is changed, so outcomes are those without it.
#include "gradscan/compare.h"

#include <algorithm>
#include <map>

#include "analyzer/base/sort_unique.h"
#include "analyzer/compare/differences.h"
#include "analyzer/diagnose/findings.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/repair/fixes.h"
#include "analyzer/run/analyse.h"
#include "gradscan/analyse.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

std::string outcome_of(const Report& report) {
  return in_words(report, report.verdict).words;
}

Report replayed(const Side& side) {
  return report_of_one(graphs_of(side.capture), side.setup);
}

// The effect of an edit may be unknown.
bool applied(const UntriedDifference& difference, Side& side) try {
  difference.apply(side);
  return true;
} catch (const Error&) {
  return false;
}

// Maps the names of parameters to their DDP indices.
std::map<std::string, int> indices(const Report& report) {
  std::map<std::string, int> indices;
  for (const ParameterReport& parameter : report.parameters) {
    indices.emplace(parameter.name, parameter.index);
    for (const std::string& alias : parameter.aliases) indices.emplace(alias, parameter.index);
  }
  return indices;
}

// Parameters that lose their gradient to checkpointing, or the part of it that would pass through a region.
std::vector<int> lost_parameters(const Report& report) {
  std::vector<int> lost = lost_to_checkpointing(report, report.verdict);
  if (loses_regions(report, report.setup))
    for (const RegionReport& region : report.regions)
      if (region.lost) lost.insert(lost.end(), region.parameters.begin(), region.parameters.end());
  sort_unique(lost);
  return lost;
}

// The verdict of the changed model in terms of the first model's DDP indices; every parameter of the changed model is from
// there.
Verdict in_terms_of(const Report& first, const Report& changed) {
  Verdict verdict = changed.verdict;
  verdict.untrained = verdict.outcome == Outcome::pass ? lost_parameters(changed) : std::vector<int>{};
  std::map<std::string, int> known = indices(first);
  auto translate = [&](int& index) { index = known.at(changed.parameters[index].name); };
  for (std::vector<int>* list : {&verdict.parameters, &verdict.unsynchronised, &verdict.untrained})
    std::for_each(list->begin(), list->end(), translate);
  for (LocalGradient& local : verdict.local) translate(local.parameter);
  if (verdict.last_mark) translate(verdict.last_mark->parameter);
  return verdict;
}

}  // namespace

Comparison compare(const Side& first, const Side& second) {
  Comparison comparison{analyse(first.capture, first.setup), analyse(second.capture, second.setup), {}, false, false};
  const Side start = with_kinds(first), end = with_kinds(second);
  const std::string wanted = outcome_of(replayed(end));
  comparison.same_outcome = outcome_of(replayed(start)) == wanted;
  Side all = start;
  for (const UntriedDifference& found : find_differences(start, end)) {
    Difference& difference = comparison.differences.emplace_back(Difference{found.what, found.first, found.second});
    if (!found.apply) continue;
    Side changed = start;
    if (!applied(found, changed) || !applied(found, all)) continue;
    Report report = replayed(changed);
    difference.decides = !comparison.same_outcome && outcome_of(report) == wanted;
    difference.verdict = in_terms_of(comparison.first, report);
  }
  std::stable_partition(comparison.differences.begin(), comparison.differences.end(),
                        [](const Difference& difference) { return difference.decides; });
  comparison.together = outcome_of(replayed(all)) == wanted;
  return comparison;
}

}  // namespace gradscan
