#include "html/views.h"

#include <algorithm>
#include <iterator>

#include "analyzer/diagnose/findings.h"
#include "analyzer/report/asked_row.h"

namespace gradscan::page {
namespace {

std::string outcome_of(const Finding& finding) {
  if (finding.rule == "marked-ready-twice") return "ready twice";
  if (finding.rule == "unfinished-reduction") return "not ready";
  if (finding.rule == "graph-changed") return "graph changed";
  if (finding.rule == "not-averaged") return "not averaged";
  if (finding.rule == "not-trained") return finding.level == Level::note ? "not needed" : "not trained";
  return "concerned";
}

std::vector<Outcomes> told_by_findings(const Report& report) {
  std::vector<Outcomes> outcomes;
  for (const Finding& finding : report.findings) {
    std::vector<int> all;
    for (const Group& group : finding.groups) all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    std::sort(all.begin(), all.end());
    const bool accepted = !finding.accepted.empty();
    if (!all.empty())
      outcomes.push_back(
          {outcome_of(finding) + (accepted ? ", accepted" : ""), accepted ? Level::note : finding.level, std::move(all)});
  }
  return outcomes;
}

std::string named_in_words(Outcome outcome) {
  return outcome == Outcome::marked_ready_twice     ? "ready twice"
         : outcome == Outcome::unfinished_reduction ? "not ready"
         : outcome == Outcome::graph_changed        ? "graph changed"
                                                    : "named";
}

std::vector<Outcomes> told_by_verdict(const Report& report, const Verdict& verdict) {
  std::vector<int> named = verdict.parameters, needless;
  std::sort(named.begin(), named.end());
  const std::vector<int> lost = lost_to_checkpointing(report, verdict);
  std::set_difference(verdict.untrained.begin(), verdict.untrained.end(), lost.begin(), lost.end(),
                      std::back_inserter(needless));
  std::vector<Outcomes> outcomes{{named_in_words(verdict.outcome), Level::error, std::move(named)},
                                 {"not averaged", Level::silent, verdict.unsynchronised},
                                 {"not trained", Level::silent, lost},
                                 {"not needed", Level::note, std::move(needless)}};
  std::erase_if(outcomes, [](const Outcomes& some) { return some.parameters.empty(); });
  return outcomes;
}

}  // namespace

std::vector<View> views_of(const Report& report, const Anchors& anchors) {
  std::vector<View> views;
  const auto asked = asked_row(report);
  if (!asked) views.push_back({anchors.of("setup=asked"), &report.verdict, &report, true});
  for (std::size_t row = 0; row < report.verdicts.size(); ++row) {
    const bool is_asked = asked == row;
    const Report* own = is_asked ? &report : row < report.setups.size() ? &report.setups[row] : nullptr;
    const Verdict& verdict = is_asked ? report.verdict : report.verdicts[row];
    views.push_back({anchors.setup(report.verdicts[row].setup), &verdict, own, is_asked});
  }
  return views;
}

std::vector<Outcomes> outcomes_of(const Report& report, const View& view) {
  return view.report ? told_by_findings(*view.report) : told_by_verdict(report, *view.verdict);
}

}  // namespace gradscan::page
