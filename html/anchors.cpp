#include "html/anchors.h"

#include <fmt/format.h>

#include <map>

#include "analyzer/text/foreign_text.h"

namespace gradscan::page {
namespace {

bool can_be_id(const std::string& name) {
  return !name.empty() && name.find_first_of(" =") == std::string::npos && legible(name) == name;
}

}  // namespace

Anchors::Anchors(const Report& report, int file) : report_(report), prefix_(file_prefix(file)) {
  std::map<std::string, int> names;
  for (const ParameterReport& parameter : report.parameters) ++names[parameter.name];
  for (const ParameterReport& parameter : report.parameters)
    if (!can_be_id(parameter.name) || names[parameter.name] > 1) unnamed_.insert(parameter.index);
}

std::string Anchors::parameter(int index) const {
  return prefix_ + (unnamed_.count(index) ? "parameter=" + std::to_string(index) : report_.parameters[index].name);
}

std::string Anchors::region(int id) const {
  return of("region=" + std::to_string(id));
}

std::string Anchors::setup(const Setup& setup) const {
  return of(fmt::format("setup={}{}{}", to_string(setup.checkpointing),
                        setup.find_unused_parameters ? ",find_unused_parameters" : "",
                        setup.static_graph ? ",static_graph" : ""));
}

std::string Anchors::of(const std::string& what) const {
  return prefix_ + what;
}

std::string file_prefix(int file) {
  return file == 0 ? "" : fmt::format("{}/", file);
}

}  // namespace gradscan::page
