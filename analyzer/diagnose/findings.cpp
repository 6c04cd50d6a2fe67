#include "analyzer/diagnose/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "analyzer/base/sort_unique.h"
#include "analyzer/data/rules.h"
#include "analyzer/diagnose/closure_words.h"
#include "analyzer/diagnose/groups.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/diagnose/why.h"
#include "analyzer/report/asked_row.h"
#include "analyzer/report/report.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

std::string in_iteration(const Verdict& verdict) {
  return verdict.iteration ? fmt::format(" in iteration {}", *verdict.iteration) : "";
}

std::vector<int> select(const Report& report, auto&& holds) {
  std::vector<int> indices;
  for (const ParameterReport& parameter : report.parameters)
    if (holds(parameter)) indices.push_back(parameter.index);
  return indices;
}

std::vector<int> united(std::vector<int> left, const std::vector<int>& right) {
  left.insert(left.end(), right.begin(), right.end());
  sort_unique(left);
  return left;
}

std::vector<int> without(const std::vector<int>& left, const std::vector<int>& right) {
  std::vector<int> rest;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(rest));
  return rest;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Finding finding(const Report& report, std::string rule, Severity severity, std::string title,
                const std::vector<int>& parameters, const Diagnose& diagnose) {
  int named = report.verdict.parameters.size() == 1 ? report.verdict.parameters.front() : none;
  std::vector<ExplainedGroup> groups = group(report, parameters, named, diagnose);
  Finding result{std::move(rule), severity, std::move(title), explain_causes(report, groups), {}};
  for (ExplainedGroup& each : groups) result.groups.push_back(std::move(each.group));
  return result;
}

void add_sentence(Finding& finding, const std::string& sentence) {
  finding.why += (finding.why.empty() || sentence.empty() ? "" : " ") + sentence;
}

Finding marked_ready_twice(const Report& report) {
  const Verdict& verdict = report.verdict;
  std::vector<int> marked = select(report, [&](auto& parameter) { return marks_asked(report, parameter) > 1; });
  std::vector<int> named = verdict.parameters.empty() ? marked : verdict.parameters;
  std::string who = named.empty() ? "a parameter" : parameters_in_words(report, named);
  std::string title = fmt::format("{} {} marked ready twice{}", who, named.size() > 1 ? "are" : "is", in_iteration(verdict));
  Finding result =
      finding(report, "marked-ready-twice", Severity::error, title, united(marked, verdict.parameters), why_marked_again);
  if (marked.size() > 1 && named.size() == 1)
    add_sentence(result, "DDP's message names only the first of them in backward order.");
  add_sentence(result, why_reached_through_closures(report, marked));
  return result;
}

bool is_idle_sometimes(const Report& report, int parameter) {
  const std::vector<int>& idle_in = report.parameters[parameter].idle_in;
  return !idle_in.empty() && idle_in.size() < report.in_turn.size();
}

Finding unfinished_reduction(const Report& report) {
  const Verdict& verdict = report.verdict;
  std::vector<int> unmarked = select(report, [&](auto& parameter) { return marks_asked(report, parameter) == 0; });
  unmarked = united(unmarked, verdict.parameters);
  bool sometimes = std::any_of(unmarked.begin(), unmarked.end(), [&](int index) { return is_idle_sometimes(report, index); });
  std::string who = unmarked.empty() ? "" : parameters_in_words(report, unmarked);
  std::string title = unmarked.empty() ? "a reduction is not finished"
                      : sometimes      ? fmt::format("some iterations do not mark {} ready", who)
                                       : fmt::format("{} {} never marked ready", who, unmarked.size() == 1 ? "is" : "are");
  Finding result = finding(report, "unfinished-reduction", Severity::error, title + ": DDP raises" + in_iteration(verdict),
                           unmarked, why_no_gradient);
  add_sentence(result,
               "A bucket that holds such a parameter is never reduced: by the time the next forward notices and raises, its "
               "gradients have stayed local to each rank.");
  return result;
}

Finding graph_changed(const Report& report) {
  const Verdict& verdict = report.verdict;
  std::vector<int> changed = select(report, [&](auto& parameter) { return parameter.ready_marks.static_graph != 1; });
  Finding result = finding(report, "graph-changed", Severity::error,
                           "the graph differs from that of iteration 0: DDP raises" + in_iteration(verdict),
                           united(changed, verdict.parameters), why_no_gradient);
  add_sentence(result, "static_graph=True takes the firings of iteration 0 as a contract for all iterations.");
  return result;
}

std::string why_backward_runs_twice(const Report& report) {
  if (std::string why = why_second_run(report); !why.empty()) return why;
  return "A checkpointed function uses a tensor from the graph outside that is not among the region's arguments. The inner "
         "backward continues into that outer graph and frees its saved tensors; the next backward to get there fails.";
}

bool is_internal_check(const Verdict& verdict) {
  return contains(verdict.message, "INTERNAL ASSERT FAILED");
}

std::string words_of(const Verdict& verdict) {
  if (is_internal_check(verdict)) return "an internal check of DDP fails";
  return verdict.message.substr(0, verdict.message.find_first_of(".\n"));
}

std::string why_check_fails(const Report& report) {
  std::string text = "DDP does not support this order of calls, and only a check of its own state reports it.";
  if (report.setup.static_graph && report.setup.step.no_sync > 0)
    text +=
        " static_graph=True defers the first all-reduce to the end of the first backward, which runs inside no_sync() here, "
        "where no reduction is prepared.";
  return text;
}

Finding other_error(const Report& report) {
  const Verdict& verdict = report.verdict;
  bool undefined = contains(verdict.message, "gradient which is undefined");
  std::vector<int> early = select(report, [&](auto& parameter) {
    return undefined && marked_by_search(report, parameter) && marks_asked(report, parameter) > 1;
  });
  Finding result = finding(report, "other-error", Severity::error,
                           fmt::format("training stops{}: {}", in_iteration(verdict), words_of(verdict)),
                           united(early, verdict.parameters), why_marked_again);
  if (is_internal_check(verdict)) add_sentence(result, why_check_fails(report));
  if (is_unrecorded(report)) add_sentence(result, unrecorded_in_words(report));
  if (undefined)
    add_sentence(
        result,
        "All parameters are marked before all gradients exist, so DDP reduces too early and finds a gradient that does "
        "not exist yet.");
  if (contains(verdict.message, "backward through the graph a second time"))
    add_sentence(result, why_backward_runs_twice(report));
  return result;
}

struct Diagnostic {
  Outcome outcome;
  Finding (*finding)(const Report&);
};

constexpr std::array<Diagnostic, 4> diagnostics{{{Outcome::marked_ready_twice, marked_ready_twice},
                                                 {Outcome::unfinished_reduction, unfinished_reduction},
                                                 {Outcome::graph_changed, graph_changed},
                                                 {Outcome::other, other_error}}};

void add_error(const Report& report, std::vector<Finding>& findings) {
  for (const Diagnostic& diagnostic : diagnostics)
    if (diagnostic.outcome == report.verdict.outcome) findings.push_back(diagnostic.finding(report));
}

// " in iterations 1 and 3": those in which any gradient stays local.
std::string when_local(const Verdict& verdict) {
  std::set<int> iterations;
  for (const LocalGradient& local : verdict.local) iterations.insert(local.iterations.begin(), local.iterations.end());
  return iterations.empty() ? "" : " " + iterations_in_words({iterations.begin(), iterations.end()}, verdict);
}

void add_not_averaged(const Report& report, std::vector<Finding>& findings) {
  const std::vector<int>& local = report.verdict.unsynchronised;
  if (local.empty() || report.verdict.outcome != Outcome::pass) return;
  findings.push_back(finding(report, "not-averaged", Severity::silent,
                             fmt::format("gradients of {} differ between the ranks{}, and DDP says nothing",
                                         parameters_in_words(report, local), when_local(report.verdict)),
                             local, why_not_averaged));
  add_sentence(findings.back(), why_reached_through_closures(report, local));
}

std::vector<int> parameters_in(const std::vector<Finding>& findings) {
  std::vector<int> parameters;
  for (const Finding& finding : findings)
    for (const Group& group : finding.groups)
      parameters.insert(parameters.end(), group.parameters.begin(), group.parameters.end());
  std::sort(parameters.begin(), parameters.end());
  return parameters;
}

// Without an error, the replay shows which parameters are never trained; with an error, the firings do.
std::vector<int> untrained(const Report& report) {
  if (report.verdict.outcome == Outcome::pass) return report.verdict.untrained;
  return select(
      report, [&](auto& parameter) { return parameter.fired_by.empty() && parameter.idle_in.size() == report.in_turn.size(); });
}

void add_not_trained(const Report& report, std::vector<Finding>& findings) {
  std::vector<int> rest = without(untrained(report), parameters_in(findings));
  Verdict verdict;
  verdict.untrained = rest;
  std::vector<int> lost = lost_to_checkpointing(report, verdict), unneeded = without(rest, lost);
  bool silent = report.verdict.outcome == Outcome::pass;  // otherwise the error stops training
  if (!lost.empty())
    findings.push_back(finding(report, "not-trained", silent ? Severity::silent : Severity::note,
                               fmt::format("{} never {} a gradient{}", parameters_in_words(report, lost),
                                           lost.size() == 1 ? "gets" : "get", silent ? ", and DDP says nothing" : ""),
                               lost, why_no_gradient));
  if (!unneeded.empty())
    findings.push_back(finding(report, "not-trained", Severity::note,
                               "The loss does not depend on " + parameters_in_words(report, unneeded), unneeded,
                               why_no_gradient));
}

// Parameters that fire, but lack the share of the gradient from regions that are not executed.
void add_incomplete(const Report& report, std::vector<Finding>& findings) {
  if (report.verdict.outcome != Outcome::pass) return;
  RegionNames names(report);
  std::vector<int> parameters =
      without(select(report, [](auto& parameter) { return parameter.lost_in != none; }), parameters_in(findings));
  if (parameters.empty()) return;
  Finding result{"not-trained", Severity::silent, "", "", {}};
  std::vector<int> regions;
  for (int index : parameters) {
    const ParameterReport& parameter = report.parameters[index];
    regions.push_back(parameter.lost_in);
    result.groups.push_back({names[parameter.lost_in],
                             {parameter.lost_in},
                             {index},
                             1,
                             {parameter.name},
                             static_cast<int>(parameter.fired_by.size()),
                             marks_asked(report, parameter),
                             "this region is not executed; it fires elsewhere"});
  }
  regions = united(regions, {});
  std::string who = parameters_in_words(report, parameters);
  result.title =
      fmt::format("{} {} only part of the gradient, and DDP says nothing", who, parameters.size() == 1 ? "gets" : "get");
  result.why = fmt::format(
      "Backward never executes the reentrant {} {}, although the loss depends on what is computed there: what that would "
      "add to the gradient of {} is missing. The {} because of another use.",
      regions.size() == 1 ? "region" : "regions", names.list(regions), who,
      parameters.size() == 1 ? "hook still fires" : "hooks still fire");
  findings.push_back(std::move(result));
}

void add_no_regions_named(const Report& report, std::vector<Finding>& findings) {
  if (!report.regions.empty() || report.regions_known) return;
  findings.push_back(
      {"no-regions-named",
       Severity::note,
       "This file names no checkpoint regions",
       "A traced file does not record which modules are checkpointed, so this report holds for the model as it stands in "
       "the file. Name the regions with --checkpoint PATTERN, or mark them in the file (docs/markers.md).",
       {}});
}

// A group that no cause has made.
Group named_group(const Report& report, std::string label, std::vector<int> regions, std::vector<int> parameters) {
  Group group{.label = std::move(label), .regions = std::move(regions), .parameters = std::move(parameters)};
  for (int index : group.parameters) group.members.push_back(report.parameters[index].name);
  return group;
}

// The regions whose recomputation differs, as far as that is this bad.
void add_recomputation_differs(const Report& report, Severity severity, std::vector<Finding>& findings) {
  constexpr std::size_t shown = 3;
  const RegionNames names(report);
  std::vector<std::string> words;
  std::vector<int> parameters, regions;
  for (const RegionReport& region : report.regions) {
    if (severity_of_recomputation(report, region, report.setup) != severity) continue;
    const std::string& difference = region.recomputation;
    words.push_back(fmt::format("{}{}: {}", names[region.id], region.source.empty() ? "" : " at " + region.source,
                                difference.empty() ? "what the region around it saves differs" : difference));
    parameters = united(std::move(parameters), region.parameters);
    regions.push_back(region.id);
  }
  if (words.empty()) return;
  Finding result{"recomputation-differs", severity, "", "", {}};
  result.title = fmt::format(
      "the {} {} a different path when {} again in backward{}",
      words.size() == 1 ? "function of region " + names[regions.front()] : fmt::format("functions of {} regions", words.size()),
      words.size() == 1 ? "takes" : "take", words.size() == 1 ? "it runs" : "they run",
      severity == Severity::error    ? ": torch raises CheckpointError"
      : severity == Severity::silent ? ", and nothing reports it"
                                     : "; what torch makes of it is unknown");
  result.why = fmt::format(
      "gradscan ran {} a second time, as backward does. In {}. What a region computes may depend on a counter, a cache, a "
      "global, or on random numbers that are not preserved.",
      words.size() == 1 ? "it" : "them", enumerate(words, shown));
  if (!parameters.empty()) result.groups.push_back(named_group(report, "inside", regions, parameters));
  findings.push_back(std::move(result));
}

std::string in_words(const Disagreement& each) {
  const auto side = [](int all, int inner) {
    return inner == 0 ? std::to_string(all) : fmt::format("{} ({} in inner backwards)", all, inner);
  };
  return fmt::format("{}: predicted {}, observed {}", each.parameter, side(each.predicted, each.predicted_inner),
                     side(each.observed, each.observed_inner));
}

// What was found in a graph that is not the whole one is worth no more than a note.
void add_seen_otherwise(const Report& report, std::vector<Finding>& findings) {
  if (report.disagreements.empty()) return;
  for (Finding& each : findings) each.severity = Severity::note;
  constexpr std::size_t shown = 4;
  Finding result{"seen-otherwise", Severity::unknown, "", "", {}};
  std::vector<std::string> words;
  std::vector<int> parameters;
  for (const Disagreement& each : report.disagreements) {
    words.push_back(in_words(each));
    if (const ParameterReport* parameter = find_parameter(report, each.parameter)) parameters.push_back(parameter->index);
  }
  sort_unique(parameters);
  if (!parameters.empty()) result.groups.push_back(named_group(report, "fires otherwise", {}, parameters));
  result.title =
      fmt::format("no verdict on this model can be relied on: in a real backward, the hooks of {} do not fire as predicted",
                  count(words.size(), "parameter"));
  result.why = fmt::format(
      "The model was run once more as it is, without DDP, when the file was written. Firings of gradient hooks: {}. Training "
      "does something that gradscan has not seen, such as a backward inside an autograd Function or a hook.",
      enumerate(words, shown));
  findings.push_back(std::move(result));
}

// Beside something worse, what is not known is only a note.
Severity unknown_beside(const std::vector<Finding>& findings) {
  const bool worse = std::ranges::any_of(findings, [](const Finding& each) { return each.severity < Severity::note; });
  return worse ? Severity::note : Severity::unknown;
}

void add_graph_varies(const Report& report, std::vector<Finding>& findings) {
  constexpr std::size_t shown = 4;
  if (!varies_unseen(report, report.setup)) return;
  findings.push_back({"graph-varies",
                      unknown_beside(findings),
                      "training may run other graphs than those in the file",
                      fmt::format("The verdict holds for the {} in the file; others may get another: {}. gradscan.record keeps "
                                  "each graph that forward builds, and with a larger iterations= it sees more of them; --then "
                                  "scans several files in turn.",
                                  report.in_turn.size() > 1 ? "graphs" : "graph", enumerate(reasons_to_vary(report), shown)),
                      {}});
}

// An error that was seen, but that the graph does not explain.
void add_observed_error(const Report& report, std::vector<Finding>& findings) {
  if (report.backward_error.empty() || report.verdict.outcome != Outcome::pass) return;
  if (is_as_recorded(report, report.setup))
    findings.push_back({"other-error",
                        Severity::error,
                        "training fails even without DDP: " + report.backward_error,
                        "When the file was written, the model was also trained for a moment as it is, and raised this error.",
                        {}});
  else
    findings.push_back(
        {"seen-otherwise",
         unknown_beside(findings),
         "as recorded, the model fails even without DDP; whether it does so in this setup is not known",
         fmt::format("When the file was written, the model was also trained for a moment as it is. That raised an "
                     "error that the recorded graph does not explain: \"{}\".",
                     report.backward_error),
         {}});
}

}  // namespace

std::vector<Finding> find_conflicts(const Report& report) {
  std::vector<Finding> findings;
  add_error(report, findings);
  add_recomputation_differs(report, Severity::error, findings);
  add_not_averaged(report, findings);
  add_not_trained(report, findings);
  add_incomplete(report, findings);
  add_recomputation_differs(report, Severity::silent, findings);
  add_recomputation_differs(report, Severity::unknown, findings);
  add_observed_error(report, findings);
  add_seen_otherwise(report, findings);
  add_graph_varies(report, findings);
  add_no_regions_named(report, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& left, const Finding& right) { return left.severity < right.severity; });
  return findings;
}

std::vector<std::string> found_besides_replay(const Report& report) {
  std::vector<std::string> titles;
  for (const Finding& finding : report.findings) {
    const bool of_replay = finding.rule == "not-averaged" || finding.rule == "not-trained" ||
                           (find_rule(finding.rule)->outcome && report.verdict.outcome != Outcome::pass);
    if (finding.severity < Severity::note && !of_replay) titles.push_back(finding.title);
  }
  return titles;
}

std::vector<int> lost_to_checkpointing(const Report& report, const Verdict& verdict) {
  std::vector<int> lost;
  for (int index : verdict.untrained)
    if (report.parameters[index].in_loss) lost.push_back(index);
  return lost;
}

bool loses_regions(const Report& report, const Setup& setup) {
  return std::ranges::any_of(report.regions,
                             [&](const RegionReport& region) { return reach_of(region, setup.checkpointing).loses; });
}

}  // namespace gradscan
