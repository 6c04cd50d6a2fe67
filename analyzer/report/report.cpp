#include "gradscan/report.h"

#include <algorithm>
#include <charconv>

#include "analyzer/report/report.h"
#include "gradscan/error.h"

namespace gradscan {

int blocked_at(const Report& report, int region) {
  int blocked = none;
  for (; region != none; region = report.regions[region].parent)
    if (report.regions[region].kind == Kind::reentrant && !report.regions[region].executed) blocked = region;
  return blocked;
}

bool has_doubtful_loss(const Report& report) {
  return report.loss_guessed &&
         std::ranges::count_if(report.outputs, [](const Output& output) { return output.edge.node != none; }) > 1;
}

namespace {

bool is_usual(const TrainingStep& step) {
  return step == TrainingStep{.set_to_none = step.set_to_none};
}

bool passes_whatever_is_left_out(const Report& report, const Setup& setup) {
  const auto is_plain = [&](const RegionReport& region) {
    return kind_under(setup.checkpointing, region.given) != Kind::reentrant && region.origin != RegionOrigin::function &&
           region.recomputation.empty();
  };
  const auto is_seen = [&](const ParameterReport& parameter) { return parameter.idle_in.size() < report.in_turn.size(); };
  return setup.find_unused_parameters && !setup.static_graph && is_usual(setup.step) &&
         std::ranges::all_of(report.regions, is_plain) && std::ranges::all_of(report.parameters, is_seen);
}

}  // namespace

const Reach& reach_of(const RegionReport& region, Checkpointing checkpointing) {
  if (kind_under(checkpointing, region.given) != Kind::reentrant) return region.reach_if_non_reentrant;
  return checkpointing == Checkpointing::as_given ? region.reach_as_given : region.reach_if_reentrant;
}

std::vector<std::string> reasons_to_vary(const Report& report) {
  std::vector<std::string> reasons = report.dropping;
  for (const std::vector<std::string>* more : {&report.varying, &report.ended})
    reasons.insert(reasons.end(), more->begin(), more->end());
  return reasons;
}

bool varies_unseen(const Report& report, const Setup& setup) {
  return !report.ended.empty() || !report.varying.empty() ||
         (!report.dropping.empty() && !passes_whatever_is_left_out(report, setup));
}

bool is_as_recorded(const Report& report, const Setup& setup) {
  const auto is_unchanged = [&](const RegionReport& region) {
    return kind_under(setup.checkpointing, region.given) == region.given;
  };
  return !report.changed_since && is_usual(setup.step) && std::ranges::all_of(report.regions, is_unchanged);
}

namespace {

bool has_finding(const Report& report, Severity mildest) {
  return std::ranges::any_of(report.findings,
                             [&](const Finding& finding) { return finding.severity <= mildest && finding.accepted.empty(); });
}

}  // namespace

bool has_conflict(const Report& report) {
  return has_finding(report, Severity::unknown);
}

bool has_failure(const Report& report) {
  return has_finding(report, Severity::silent);
}

int exit_code(const Report& report) {
  if (!report.disagreements.empty()) return exit_code(Failure::internal);
  return has_conflict(report) ? 1 : 0;
}

// DDP's messages put a dot before the name of a parameter of the root module, which may be a number.
const ParameterReport* find_parameter(const Report& report, std::string_view name_or_index) {
  std::size_t index = 0;
  auto [rest, error] = std::from_chars(name_or_index.data(), name_or_index.data() + name_or_index.size(), index);
  bool is_index = error == std::errc() && rest == name_or_index.data() + name_or_index.size();
  if (is_index && index < report.parameters.size()) return &report.parameters[index];
  if (name_or_index.starts_with('.')) name_or_index.remove_prefix(1);
  auto found = std::find_if(report.parameters.begin(), report.parameters.end(), [&](const ParameterReport& parameter) {
    return parameter.name == name_or_index ||
           std::find(parameter.aliases.begin(), parameter.aliases.end(), name_or_index) != parameter.aliases.end();
  });
  return found == report.parameters.end() ? nullptr : &*found;
}

}  // namespace gradscan
