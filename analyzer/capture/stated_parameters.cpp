#include "analyzer/capture/stated_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

namespace gradscan {
namespace {

using Positions = std::unordered_map<std::string, std::size_t>;

Positions positions_by_name(const std::vector<Parameter>& parameters) {
  Positions positions;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    positions[parameters[k].name] = k;
    for (const std::string& alias : parameters[k].aliases) positions[alias] = k;
  }
  return positions;
}

void make_first_name(Parameter& parameter, const std::string& name) {
  auto alias = std::find(parameter.aliases.begin(), parameter.aliases.end(), name);
  if (alias == parameter.aliases.end()) return;
  parameter.aliases.erase(alias);
  parameter.aliases.insert(parameter.aliases.begin(), parameter.name);
  parameter.name = name;
}

void set_ddp_name(Parameter& parameter, const std::string& name) {
  const std::string& usual = parameter.aliases.empty() ? parameter.name : parameter.aliases.back();
  parameter.ddp_name = name == usual ? "" : name;
}

}  // namespace

std::vector<std::size_t> stated_order(const std::vector<StatedParameter>& stated, std::vector<Parameter>& parameters) {
  Positions positions = positions_by_name(parameters);
  std::vector<bool> is_stated(parameters.size());
  std::vector<std::size_t> order;
  for (const StatedParameter& entry : stated) {
    auto found = positions.find(entry.name);
    if (found == positions.end()) throw std::invalid_argument("the model has no parameter " + entry.name);
    if (is_stated[found->second]) throw std::invalid_argument(fmt::format("it lists the parameter {} twice", entry.name));
    is_stated[found->second] = true;
    order.push_back(found->second);
    make_first_name(parameters[found->second], entry.name);
    if (!entry.ddp_name.empty()) set_ddp_name(parameters[found->second], entry.ddp_name);
  }
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (is_stated[k]) continue;
    if (parameters[k].requires_grad)
      throw std::invalid_argument(fmt::format("it does not list the parameter {}, which requires grad", parameters[k].name));
    order.push_back(k);
  }
  return order;
}

}  // namespace gradscan
