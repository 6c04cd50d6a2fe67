#include "analyzer/command/option.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "analyzer/command/values.h"

namespace gradscan {
namespace {

std::string flags(const Option& option) {
  return (option.letter ? std::string{'-', option.letter, ','} : "") + "--" + option.name;
}

std::string with_words(const Option& option) {
  std::string text = option.help;
  if (std::size_t place = text.find("{}"); place != std::string::npos) text.replace(place, 2, either(option.value.words));
  return text;
}

}  // namespace

void add_to(CLI::App& app, const OptionTable& table) {
  for (const OptionGroup& group : table)
    for (const Option& option : group.options) option.value.add(app, flags(option))->type_name(option.value.metavar);
}

const Option* find_option(const OptionTable& table, std::string_view name) {
  for (const OptionGroup& group : table)
    for (const Option& option : group.options)
      if (option.name == name) return &option;
  return nullptr;
}

bool takes_path(const Option& option) {
  return option.value.takes == Takes::file || option.value.takes == Takes::output;
}

std::string short_form(const Option& option) {
  return spellings(option).front();
}

std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> all;
  if (option.letter) all.push_back({'-', option.letter});
  all.push_back("--" + option.name);
  if (option.value.negatable) all.push_back("--no-" + option.name);
  return all;
}

std::string full_help(const Option& option) {
  return with_words(option) + (option.value.repeats ? " (repeatable)" : "");
}

std::string short_help(const Option& option) {
  std::string text = with_words(option);
  std::size_t end = text.size();
  for (const char* mark : {". ", "; ", ": "}) end = std::min(end, text.find(mark));
  return text.substr(0, end);
}

}  // namespace gradscan
