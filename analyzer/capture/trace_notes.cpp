#include "analyzer/capture/trace_notes.h"

#include <fmt/format.h>

#include <set>

#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

bool is_module_call(const Region& region) {
  return region.origin == RegionOrigin::pattern || region.origin == RegionOrigin::wrapper;
}

std::string first_of(const std::set<std::string>& names) {
  if (names.size() == 1) return *names.begin();
  return fmt::format("{} and {}", *names.begin(), count(names.size() - 1, "other region"));
}

}  // namespace

std::vector<std::string> trace_notes(const Capture& capture) {
  std::set<std::string> several, parameters;  // regions with more than one argument; sentences about parameters
  for (const Region& region : capture.regions) {
    if (!is_module_call(region)) continue;
    const std::vector<GradEdge>& arguments = capture.nodes[region.begin].next;
    if (arguments.size() > 1) several.insert(region.name);
    for (GradEdge argument : arguments)
      if (argument.node != none && capture.nodes[argument.node].role == Role::parameter)
        parameters.insert(fmt::format(
            "{} is traced with {}, a parameter of another module: it is taken to be an argument of the checkpointed "
            "call",
            region.name, capture.parameters[capture.nodes[argument.node].parameter].name));
  }
  std::vector<std::string> notes(parameters.begin(), parameters.end());
  if (!several.empty())
    notes.push_back(fmt::format(
        "a trace does not distinguish a list of tensors from separate ones: the arguments of {} are taken to be separate "
        "tensors",
        first_of(several)));
  return notes;
}

}  // namespace gradscan
