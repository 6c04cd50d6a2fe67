#include "html/views.h"

#include <algorithm>
#include <iterator>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/findings.h"
#include "analyzer/report/asked_row.h"

namespace gradscan::page {
namespace {

constexpr const char* not_needed = "not needed";

std::string outcome_of(const Finding& finding) {
  const Rule* rule = find_rule(finding.rule);
  if (rule && rule->severity == Severity::silent && finding.severity == Severity::note) return not_needed;
  return std::string(rule && !rule->of_parameter.empty() ? rule->of_parameter : "affected");
}

std::vector<Outcomes> outcomes_in_findings(const Report& report) {
  std::vector<Outcomes> outcomes;
  for (const Finding& finding : report.findings) {
    std::vector<int> all;
    for (const Group& group : finding.groups) all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    std::sort(all.begin(), all.end());
    const bool accepted = !finding.accepted.empty();
    if (!all.empty())
      outcomes.push_back(
          {outcome_of(finding) + (accepted ? ", accepted" : ""), accepted ? Severity::note : finding.severity, std::move(all)});
  }
  return outcomes;
}

std::vector<Outcomes> outcomes_in_verdict(const Report& report, const Verdict& verdict) {
  std::vector<int> named = verdict.parameters, needless;
  std::sort(named.begin(), named.end());
  const std::vector<int> lost = lost_to_checkpointing(report, verdict);
  std::set_difference(verdict.untrained.begin(), verdict.untrained.end(), lost.begin(), lost.end(),
                      std::back_inserter(needless));
  const auto word = [](const Rule* rule) { return std::string(rule ? rule->of_parameter : ""); };
  std::vector<Outcomes> outcomes{
      {word(verdict.outcome == Outcome::pass ? nullptr : &rule_of(verdict.outcome)), Severity::error, std::move(named)},
      {word(find_rule("not-averaged")), Severity::silent, verdict.unsynchronised},
      {word(find_rule("not-trained")), Severity::silent, lost},
      {not_needed, Severity::note, std::move(needless)}};
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
  return view.report ? outcomes_in_findings(*view.report) : outcomes_in_verdict(report, *view.verdict);
}

}  // namespace gradscan::page
