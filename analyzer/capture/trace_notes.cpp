#include "analyzer/capture/trace_notes.h"

#include <set>

namespace gradscan {
namespace {

bool is_module_call(const Region& region) {
  return region.origin == "pattern" || region.origin == "CheckpointWrapper";
}

std::string first_of(const std::set<std::string>& names) {
  if (names.size() == 1) return *names.begin();
  return *names.begin() + " and " + std::to_string(names.size() - 1) + " other region" + (names.size() == 2 ? "" : "s");
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
        parameters.insert(region.name + " is traced with " + capture.parameters[capture.nodes[argument.node].parameter].name +
                          ", a parameter of another module: it is taken to be an argument of the checkpointed call");
  }
  std::vector<std::string> notes(parameters.begin(), parameters.end());
  if (!several.empty())
    notes.push_back("a trace does not tell a list of tensors from single ones: the arguments of " + first_of(several) +
                    " are taken to be single tensors");
  return notes;
}

}  // namespace gradscan
