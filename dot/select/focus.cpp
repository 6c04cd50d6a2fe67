#include "dot/select/focus.h"

#include <fmt/format.h>

#include <set>

#include "analyzer/diagnose/causes.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

[[noreturn]] void refuse(const Report& report, const RegionNames& names, std::string_view wanted) {
  std::vector<std::string> candidates;
  for (const RegionReport& region : report.regions) candidates.push_back(region.name);
  for (const RegionReport& region : report.regions) candidates.push_back(names[region.id]);
  for (const ParameterReport& parameter : report.parameters) candidates.push_back(parameter.name);
  const std::string near = did_you_mean(wanted, candidates);
  throw Error(Failure::usage, std::string(wanted), "is neither a parameter that requires grad nor a checkpoint region",
              near.empty() ? "use a name or an index in the report" : near);
}

}  // namespace

Focus find_focus(const Report& report, std::string_view wanted) {
  if (const ParameterReport* parameter = find_parameter(report, wanted))
    return {fmt::format("{} (#{})", parameter->name, parameter->index), {parameter->index}, {}};
  const RegionNames names(report);
  Focus focus;
  for (const RegionReport& region : report.regions)
    if (region.in_turn == 0 && (region.name == wanted || names[region.id] == wanted)) focus.regions.push_back(region.id);
  if (focus.regions.empty()) refuse(report, names, wanted);
  focus.name = std::string(wanted);
  std::set<int> parameters;
  for (const int region : focus.regions)
    parameters.insert(report.regions[region].parameters.begin(), report.regions[region].parameters.end());
  focus.parameters.assign(parameters.begin(), parameters.end());
  return focus;
}

}  // namespace gradscan
