// A module stands for its parameters if all of those that require grad are chosen, under all their names. So every module on
// the way to any other name is marked first, and the outermost module without a mark then stands for each chosen name. Linear
// in the number of names times the depth of modules.
#include "analyzer/graph/name_globs.h"

#include <algorithm>
#include <set>

#include "analyzer/text/globs.h"

namespace gradscan {
namespace {

std::vector<std::string> names_of(const Parameter& parameter) {
  std::vector<std::string> names{parameter.name};
  names.insert(names.end(), parameter.aliases.begin(), parameter.aliases.end());
  return names;
}

// "a.", "a.b." for "a.b.weight", outermost first; the root is "".
std::vector<std::string> modules_around(const std::string& name) {
  std::vector<std::string> modules{""};
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    modules.push_back(name.substr(0, dot + 1));
  return modules;
}

std::set<std::string> modules_of_others(const Capture& capture, const std::vector<bool>& chosen) {
  std::set<std::string> modules;
  for (std::size_t at = 0; at < chosen.size(); ++at) {
    if (chosen[at] || !capture.parameters[at].requires_grad) continue;
    for (const std::string& name : names_of(capture.parameters[at]))
      for (const std::string& module : modules_around(name)) modules.insert(module);
  }
  return modules;
}

}  // namespace

std::vector<std::string> globs_for(const Capture& capture, const std::vector<bool>& chosen) {
  std::set<std::string> mixed = modules_of_others(capture, chosen);
  std::vector<std::string> globs;
  for (std::size_t at = 0; at < chosen.size(); ++at) {
    if (!chosen[at]) continue;
    const std::string& name = capture.parameters[at].name;
    std::vector<std::string> modules = modules_around(name);
    auto pure =
        std::find_if(modules.begin(), modules.end(), [&](const std::string& module) { return !mixed.contains(module); });
    std::string glob = pure == modules.end() ? as_glob(name) : as_glob(*pure) + '*';
    if (std::find(globs.begin(), globs.end(), glob) == globs.end()) globs.push_back(glob);
  }
  return globs;
}

}  // namespace gradscan
