#include "gradscan/report.h"

#include <algorithm>
#include <charconv>

#include "analyzer/report/report.h"

namespace gradscan {

int blocked_at(const Report& report, int region) {
  int blocked = none;
  for (; region != none; region = report.regions[region].parent)
    if (report.regions[region].kind == Kind::reentrant && !report.regions[region].executed) blocked = region;
  return blocked;
}

bool has_conflict(const Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [](const Finding& finding) { return finding.severity != Severity::note && finding.accepted.empty(); });
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
