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

bool varies_unseen(const Report& report) {
  const bool in_full = report.in_turn.size() > 1 && report.in_turn.size() <= static_cast<std::size_t>(replay_iterations);
  return !report.varying.empty() && !in_full;
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
