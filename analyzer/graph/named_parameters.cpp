#include "analyzer/graph/named_parameters.h"

#include <algorithm>

#include "analyzer/graph/patterns.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

bool matches(const Parameter& parameter, const std::string& glob) {
  return glob_match(glob, parameter.name) || std::any_of(parameter.aliases.begin(), parameter.aliases.end(),
                                                         [&](const std::string& alias) { return glob_match(glob, alias); });
}

std::vector<std::string> names_of(const Capture& capture) {
  std::vector<std::string> names;
  for (const Parameter& parameter : capture.parameters) {
    names.push_back(parameter.name);
    names.insert(names.end(), parameter.aliases.begin(), parameter.aliases.end());
  }
  return names;
}

Error no_parameter(const Capture& capture, const std::string& option, const std::string& glob) {
  std::string near = did_you_mean(glob, names_of(capture));
  return Error(Failure::usage, option + ' ' + glob, "matches no parameter of " + capture.model,
               near.empty() ? "give its full name" : near);
}

}  // namespace

std::vector<int> parameters_named(const Capture& capture, const std::string& option, const std::vector<std::string>& globs) {
  std::vector<int> result;
  std::vector<bool> taken(capture.parameters.size());
  for (const std::string& glob : globs) {
    bool any = false;
    for (std::size_t at = 0; at < capture.parameters.size(); ++at) {
      if (!matches(capture.parameters[at], glob)) continue;
      any = true;
      if (!taken[at]) result.push_back(static_cast<int>(at));
      taken[at] = true;
    }
    if (!any) throw no_parameter(capture, option, glob);
  }
  return result;
}

}  // namespace gradscan
