#include "analyzer/diagnose/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

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

std::vector<int> without_outer(std::vector<int> causes) {
  std::erase_if(causes, [](int cause) { return cause < 0; });
  causes.erase(std::unique(causes.begin(), causes.end()), causes.end());
  return causes;
}

// The outer graph, and a checkpoint around the model, come first in an ascending list.
bool has_outer(const std::vector<int>& regions_or_outer) {
  return !regions_or_outer.empty() && regions_or_outer.front() < 0;
}

Diagnosis diagnosis(Cause cause, const std::vector<int>& regions_or_outer) {
  return {cause, without_outer(regions_or_outer), has_outer(regions_or_outer)};
}

}  // namespace

// Why DDP's search does not see a parameter that it marks and whose hook then marks it again.
Cause why_not_seen(const ParameterReport& parameter) {
  if (!parameter.returned_as.empty()) return Cause::returned_itself;
  if (parameter.seen_if_off) return Cause::inside_region;
  return parameter.used_by_loss && !parameter.in_loss ? Cause::unseen_but_in_loss : Cause::behind_hidden_output;
}

Diagnosis why_marked_again(const Report& report, const ParameterReport& parameter) {
  const std::vector<int>& causes = parameter.heard;
  if (causes.empty()) return diagnosis(Cause::unknown, parameter.used_in);
  bool one_source = causes.front() == causes.back();  // with one forward call it would fire once
  if (one_source && marked_by_search(report, parameter)) return diagnosis(why_not_seen(parameter), causes);
  if (!one_source && parameter.used_by_loss && !has_outer(parameter.used_in)) return diagnosis(Cause::taken_by_loss, causes);
  if (!one_source) return diagnosis(Cause::fires_several_times, causes);
  if (causes.size() > 1) return diagnosis(Cause::several_forwards, causes);
  return diagnosis(report.setup.step.backwards > 1 ? Cause::several_backwards : Cause::unknown, parameter.used_in);
}

Diagnosis why_no_gradient(const Report& report, const ParameterReport& parameter) {
  if (!parameter.idle_in.empty() && parameter.idle_in.size() < report.in_turn.size())
    return diagnosis(Cause::not_in_every_graph, parameter.used_in);
  if (is_unrecorded(report) && parameter.in_loss) return diagnosis(Cause::around_unrecorded, parameter.used_in);
  bool takes_zero_only = parameter.used_by_loss && parameter.in_loss;  // the gradient through forward is missing
  if (!parameter.fired_by.empty() && !takes_zero_only) return diagnosis(Cause::zero_gradient, parameter.fired_by);
  if (report.setup.static_graph && !parameter.fired_by_sink.empty() && marks_asked(report, parameter) == 0)
    return diagnosis(Cause::only_through_sink, parameter.fired_by_sink);
  if (parameter.used_in.empty()) return {Cause::not_used, {}, false};
  if (!parameter.in_loss) return diagnosis(Cause::not_in_loss, parameter.used_in);
  for (int region : parameter.used_in)
    if (int blocked = region == none ? none : blocked_at(report, region); blocked != none)
      return {why_not_executed(report.regions[blocked]), {blocked}, has_outer(parameter.used_in)};
  return diagnosis(parameter.fired_by.empty() ? Cause::cut_off : Cause::unknown, parameter.used_in);
}

Diagnosis why_not_averaged(const Report& report, const ParameterReport& parameter) {
  if (report.setup.static_graph && has_no_sink(report)) return diagnosis(Cause::no_tensor_found, parameter.fired_by);
  if (is_unrecorded(report)) return diagnosis(Cause::around_unrecorded, parameter.heard);
  const LocalGradient* local = local_gradient(report, parameter.index);
  if (!local) return diagnosis(Cause::unknown, parameter.heard);
  if (local->late.empty()) return diagnosis(Cause::never_reduced, parameter.heard);
  return diagnosis(report.setup.step.backwards > 1 ? Cause::later_backward : Cause::after_the_last_mark, parameter.heard);
}

Cause why_not_executed(const RegionReport& region) {
  if (region.arguments_without_grad.size() == static_cast<std::size_t>(region.arguments)) return Cause::no_argument_with_grad;
  return region.nested_outputs > 0 ? Cause::nested_outputs : Cause::cut_off;
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

std::string outer_in_words(int cause) {
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
