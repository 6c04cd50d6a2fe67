// Each difference is replayed in the first side by itself; what decides gives the first the second's outcome, in the words of
// the table of setups: two errors of one kind are one outcome, wherever they come from.
#include "gradscan/compare.h"

#include <algorithm>

#include "analyzer/report/analyse.h"
#include "analyzer/report/differences.h"
#include "analyzer/report/outcome_words.h"

namespace gradscan {
namespace {

std::string outcome_of(const Report& report) {
  return in_words(report, report.verdict).words;
}

Report replayed(const Side& side) {
  return report_of_one(std::span(&side.capture, 1), side.setup);
}

}  // namespace

Comparison compare(const Side& first, const Side& second) {
  Comparison comparison{analyse(first.capture, first.setup), analyse(second.capture, second.setup), {}, false, false};
  std::string wanted = outcome_of(comparison.second);
  comparison.same_outcome = outcome_of(comparison.first) == wanted;
  Side start = with_kinds(first), all = start;
  for (const FoundDifference& found : find_differences(start, with_kinds(second))) {
    Difference& difference = comparison.differences.emplace_back(Difference{found.what, found.first, found.second});
    if (!found.take_over) continue;
    Side changed = start;
    found.take_over(changed);
    found.take_over(all);
    Report report = replayed(changed);
    difference.decides = !comparison.same_outcome && outcome_of(report) == wanted;
    difference.verdict = std::move(report.verdict);
  }
  std::stable_partition(comparison.differences.begin(), comparison.differences.end(),
                        [](const Difference& difference) { return difference.decides; });
  comparison.together = outcome_of(replayed(all)) == wanted;
  return comparison;
}

}  // namespace gradscan
