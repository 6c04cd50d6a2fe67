#include "analyzer/diagnose/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "analyzer/base/sort_unique.h"
#include "analyzer/report/report.h"
#include "analyzer/text/prose.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

bool has_input_with_grad(const Report& report) {
  return std::any_of(report.inputs.begin(), report.inputs.end(), [](const Input& input) { return input.requires_grad; });
}

bool has_no_sink(const Report& report) {
  return std::none_of(report.outputs.begin(), report.outputs.end(), [](const Output& output) { return output.behind_sink; });
}

// The outer graph, and a checkpoint around the model, come first in an ascending list.
Diagnosis diagnosis(Reason reason, const std::vector<Cause>& causes) {
  return {reason, regions_of(causes), !causes.empty() && !causes.front().is_region()};
}

bool used_outside(const ParameterReport& parameter) {
  return !parameter.used_in.empty() && parameter.used_in.front() == none;
}

Diagnosis diagnosis_by_use(Reason reason, const ParameterReport& parameter) {
  std::vector<int> regions = parameter.used_in;
  std::erase(regions, none);
  return {reason, regions, used_outside(parameter)};
}

}  // namespace

// Why DDP's search does not see a parameter that it marks and whose hook then marks it again.
Reason why_not_seen(const ParameterReport& parameter) {
  if (!parameter.returned_as.empty()) return Reason::returned_itself;
  if (parameter.seen_if_off) return Reason::inside_region;
  return parameter.used_by_loss && !parameter.in_loss ? Reason::unseen_but_in_loss : Reason::behind_hidden_output;
}

Diagnosis why_marked_again(const Report& report, const ParameterReport& parameter) {
  const std::vector<Cause>& causes = parameter.heard;
  if (causes.empty()) return diagnosis_by_use(Reason::unknown, parameter);
  bool one_source = causes.front() == causes.back();  // with one forward call it would fire once
  if (one_source && marked_by_search(report, parameter)) return diagnosis(why_not_seen(parameter), causes);
  if (!one_source && parameter.used_by_loss && !used_outside(parameter)) return diagnosis(Reason::taken_by_loss, causes);
  if (!one_source) return diagnosis(Reason::fires_several_times, causes);
  if (causes.size() > 1) return diagnosis(Reason::several_forwards, causes);
  return diagnosis_by_use(report.setup.step.backwards > 1 ? Reason::several_backwards : Reason::unknown, parameter);
}

Diagnosis why_no_gradient(const Report& report, const ParameterReport& parameter) {
  if (!parameter.idle_in.empty() && parameter.idle_in.size() < report.in_turn.size())
    return diagnosis_by_use(Reason::not_in_every_graph, parameter);
  if (is_unrecorded(report) && parameter.in_loss) return diagnosis_by_use(Reason::around_unrecorded, parameter);
  bool takes_zero_only = parameter.used_by_loss && parameter.in_loss;  // the gradient through forward is missing
  if (!parameter.fired_by.empty() && !takes_zero_only) return diagnosis(Reason::zero_gradient, parameter.fired_by);
  if (report.setup.static_graph && !parameter.fired_by_sink.empty() && marks_asked(report, parameter) == 0)
    return diagnosis(Reason::only_through_sink, parameter.fired_by_sink);
  if (parameter.used_in.empty()) return {Reason::not_used, {}, false};
  if (!parameter.in_loss) return diagnosis_by_use(Reason::not_in_loss, parameter);
  for (int region : parameter.used_in)
    if (int blocked = region == none ? none : blocked_at(report, region); blocked != none)
      return {why_not_executed(report.regions[blocked]), {blocked}, used_outside(parameter)};
  return diagnosis_by_use(parameter.fired_by.empty() ? Reason::cut_off : Reason::unknown, parameter);
}

Diagnosis why_not_averaged(const Report& report, const ParameterReport& parameter) {
  if (report.setup.static_graph && has_no_sink(report)) return diagnosis(Reason::no_tensor_found, parameter.fired_by);
  if (is_unrecorded(report)) return diagnosis(Reason::around_unrecorded, parameter.heard);
  const LocalGradient* local = local_gradient(report, parameter.index);
  if (!local) return diagnosis(Reason::unknown, parameter.heard);
  return diagnosis(report.setup.step.backwards > 1 ? Reason::later_backward : Reason::after_the_last_mark, parameter.heard);
}

Reason why_not_executed(const RegionReport& region) {
  if (region.arguments_without_grad.size() == static_cast<std::size_t>(region.arguments)) return Reason::no_argument_with_grad;
  return region.nested_outputs > 0 ? Reason::nested_outputs : Reason::cut_off;
}

bool searches(const Setup& setup) {
  return setup.find_unused_parameters && !setup.static_graph;
}

int marks_asked(const Report& report, const ParameterReport& parameter) {
  if (report.setup.static_graph) return parameter.ready_marks.static_graph;
  return report.setup.find_unused_parameters ? parameter.ready_marks.find_unused_parameters : parameter.ready_marks.defaults;
}

const LocalGradient* local_gradient(const Report& report, int parameter) {
  const std::vector<LocalGradient>& all = report.verdict.local;
  auto found = std::lower_bound(all.begin(), all.end(), parameter,
                                [](const LocalGradient& local, int index) { return local.parameter < index; });
  return found == all.end() || found->parameter != parameter ? nullptr : &*found;
}

std::string names_of_graphs(const Report& report, const std::vector<int>& turns) {
  constexpr std::size_t names_listed = 3;
  std::vector<std::string> names;
  for (int turn : turns) names.push_back(report.in_turn[turn]);
  return enumerate(names, names_listed);
}

std::vector<int> regions_of(const std::vector<Cause>& causes) {
  std::vector<int> regions;
  for (Cause cause : causes)
    if (cause.is_region()) regions.push_back(cause.region());
  sort_unique(regions);
  return regions;
}

std::string outer_in_words(Cause cause) {
  return cause == around_model ? "inner backward of the checkpoint around the model" : "outer backward";
}

bool is_unrecorded(const Report& report) {
  auto records = [](const Output& output) { return output.in_loss && output.direct; };
  return report.setup.step.checkpoint_around == Kind::reentrant &&
         (!has_input_with_grad(report) || std::none_of(report.outputs.begin(), report.outputs.end(), records));
}

std::string unrecorded_in_words(const Report& report) {
  return fmt::format(
      "The reentrant checkpoint around the model {}. A non-reentrant one (--checkpoint-around non-reentrant) has no such "
      "condition.",
      has_input_with_grad(report)
          ? "gives a history only to tensors that forward returns directly, and the loss uses none of these"
          : "gets no tensor that requires grad, so torch records nothing for it");
}

bool marked_by_search(const Report& report, const ParameterReport& parameter) {
  return searches(report.setup) && !parameter.seen_by_search;
}

RegionNames::RegionNames(const Report& report) : report_(report) {
  std::unordered_map<std::string, int> total;
  for (const RegionReport& region : report.regions) calls_.push_back(++total[region.name]);
  for (const RegionReport& region : report.regions)
    names_.push_back(total[region.name] == 1 ? region.name : fmt::format("{}, call {}", region.name, calls_[region.id]));
}

std::string RegionNames::list(const std::vector<int>& regions) const {
  constexpr std::size_t names_listed = 3;
  if (regions.size() > names_listed)
    return fmt::format("{} … {} ({})", names_[regions.front()], names_[regions.back()], count(regions.size(), "region"));
  std::vector<std::string> words;
  bool same = same_function(regions);
  for (int region : regions) words.push_back(same ? std::to_string(calls_[region]) : names_[region]);
  std::string list = enumerate(words, names_listed);
  return same ? fmt::format("{}, calls {}", report_.regions[regions.front()].name, list) : list;
}

bool RegionNames::same_function(const std::vector<int>& regions) const {
  return regions.size() > 1 && std::all_of(regions.begin(), regions.end(), [&](int region) {
           return report_.regions[region].name == report_.regions[regions.front()].name;
         });
}

}  // namespace gradscan
