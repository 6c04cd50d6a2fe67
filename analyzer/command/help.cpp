#include "analyzer/command/help.h"

#include "analyzer/command/exit_codes.h"
#include "analyzer/command/manual.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

constexpr int columns = 80;
constexpr std::size_t help_column = 28;  // where the texts of options begin

// "-o, --output FILE", "--[no-]static-graph"
std::string head(const Option& option) {
  std::string text = option.letter ? std::string{'-', option.letter, ',', ' '} : "";
  text += (option.value.negatable ? "--[no-]" : "--") + option.name;
  return text + (option.value.metavar.empty() ? "" : " " + option.value.metavar);
}

// A head that is too long has a line to itself.
std::string entry(const std::string& head, const std::string& text, std::size_t column) {
  std::string first = "  " + head, indent(column, ' ');
  if (first.size() + 2 > column) return first + '\n' + wrap(text, columns, indent, indent);
  return wrap(text, columns, first + std::string(column - first.size(), ' '), indent);
}

std::string group_in_words(const OptionGroup& group) {
  std::string text = group.title + '\n';
  for (const Option& option : group.options) text += entry(head(option), full_help(option), help_column);
  return text + '\n';
}

std::string exit_codes_in_words() {
  std::string text = std::string(manual::exit_codes_title) + '\n';
  for (auto [code, meaning] : exit_codes()) {
    std::string number = std::to_string(code);
    text += entry((code < 10 ? " " : "") + number, std::string(meaning), 6);
  }
  return text;
}

}  // namespace

std::string help(const OptionTable& table) {
  std::string text = "Usage: " + std::string(manual::usage) + "\n\n" + wrap(manual::about, columns, "", "") + '\n';
  for (const OptionGroup& group : table) text += group_in_words(group);
  text += wrap(manual::project, columns, "", "") + "\nExamples\n";
  for (std::string_view example : manual::examples) text.append("  ").append(example).append("\n");
  return text + '\n' + exit_codes_in_words();
}

}  // namespace gradscan
