#include "analyzer/command/completion.h"

#include "analyzer/command/option_table.h"

namespace gradscan {
namespace {

template <typename Visit>
void each_option(const OptionTable& table, Visit visit) {
  for (const OptionGroup& group : table)
    for (const Option& option : group.options) visit(option);
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

// In single quotes, as every shell reads it.
std::string quoted(const std::string& text, std::string_view quote_inside) {
  std::string result = "'";
  for (char c : text) c == '\'' ? result += quote_inside : result += c;
  return result + "'";
}

// --- bash -----------------------------------------------------------------------------------------------------------------

constexpr std::string_view bash_begin = R"(# Completion of gradscan for bash.

# Files with one of the extensions given, and folders.
_gradscan_files() {
  local extension
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <({
    for extension; do compgen -f -X "!*$extension" -- "$word"; done
    compgen -d -- "$word"
  } | sort -u)
}

_gradscan_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

# The options given if the word begins as one; else models, whose extensions follow.
_gradscan_rest() {
  if [[ $word == -* ]]; then _gradscan_words "$1"; else _gradscan_files "${@:2}"; fi
}

_gradscan() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
  # --option=value is three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $option in
)";

std::string bash_reply(const Option& option) {
  std::string words = joined(option.value.words, " ");
  return takes_path(option) ? "_gradscan_files " + words : "_gradscan_words '" + words + "'";
}

std::string bash(const OptionTable& table) {
  std::vector<std::string> all, unknown;  // of the latter nobody can tell the values
  std::string cases;
  each_option(table, [&](const Option& option) {
    std::vector<std::string> names = spellings(option);
    all.insert(all.end(), names.begin(), names.end());
    if (option.value.takes == Takes::nothing) return;
    if (option.value.words.empty())
      unknown.insert(unknown.end(), names.begin(), names.end());
    else
      cases += "    " + joined(names, " | ") + ") " + bash_reply(option) + " ;;\n";
  });
  cases += "    " + joined(unknown, " | ") + ") ;;\n";
  cases += "    *) _gradscan_rest '" + joined(all, " ") + "' " + joined(model_extensions(), " ") + " ;;\n";
  return std::string(bash_begin) + cases + "  esac\n}\n\ncomplete -F _gradscan gradscan\n";
}

// --- zsh ------------------------------------------------------------------------------------------------------------------

// Of a description in brackets.
std::string without_brackets(const std::string& text) {
  std::string result;
  for (char c : text) result.append(c == '[' || c == ']' ? "\\" : "").push_back(c);
  return result;
}

std::string zsh_files(const std::vector<std::string>& extensions) {
  std::string any = joined(extensions, "|");
  return "_files -g \"*" + (extensions.size() > 1 ? "(" + any + ")" : any) + "\"";
}

std::string zsh_action(const Option& option) {
  const std::vector<std::string>& words = option.value.words;
  if (takes_path(option)) return zsh_files(words);
  return words.empty() ? " " : "(" + joined(words, " ") + ")";
}

// '(-j --jobs)'{-j+,--jobs=}'[scan N files at a time]:N: '
std::string zsh_spec(const Option& option) {
  const Value& value = option.value;
  bool is_flag = value.takes == Takes::nothing;
  std::vector<std::string> names = spellings(option), taking;
  for (const std::string& name : names) taking.push_back(name + (is_flag ? "" : name.starts_with("--") ? "=" : "+"));
  std::string once = value.repeats ? "'*'" : names.size() > 1 ? "'(" + joined(names, " ") + ")'" : "";
  std::string all = taking.size() == 1 ? taking.front() : "{" + joined(taking, ",") + "}";
  std::string what = "[" + without_brackets(short_help(option)) + "]";
  if (!is_flag) what += ":" + value.metavar + ":" + zsh_action(option);
  return once + all + quoted(what, "'\\''");
}

constexpr std::string_view zsh_end = R"(
}

# Loaded from a folder of functions, or read by source.
if [[ $funcstack[1] == _gradscan ]]; then
  _gradscan "$@"
else
  compdef _gradscan gradscan
fi
)";

std::string zsh(const OptionTable& table) {
  std::string text = "#compdef gradscan\n# Completion of gradscan for zsh.\n\n_gradscan() {\n  _arguments -s -S \\\n";
  each_option(table, [&](const Option& option) { text += "    " + zsh_spec(option) + " \\\n"; });
  return text + "    '*:MODEL:" + zsh_files(model_extensions()) + "'" + std::string(zsh_end);
}

// --- fish -----------------------------------------------------------------------------------------------------------------

std::string fish_files(const std::vector<std::string>& extensions) {
  return " -ka '(__fish_complete_suffix " + joined(extensions, " ") + ")'";
}

std::string fish_value(const Option& option) {
  const std::vector<std::string>& words = option.value.words;
  if (option.value.takes == Takes::nothing) return "";
  if (takes_path(option)) return " -r" + fish_files(words);
  return words.empty() ? " -x" : " -x -a '" + joined(words, " ") + "'";
}

std::string fish_line(const std::string& name, const Option& option) {
  std::string letter = option.letter ? std::string{' ', '-', 's', ' ', option.letter} : "";
  return "complete -c gradscan" + letter + " -l " + name + fish_value(option) + " -d " + quoted(short_help(option), "\\'") +
         '\n';
}

std::string fish(const OptionTable& table) {
  std::string lines = "# Completion of gradscan for fish.\ncomplete -c gradscan" + fish_files(model_extensions()) + '\n';
  each_option(table, [&](const Option& option) {
    lines += fish_line(option.name, option);
    if (option.value.negatable) lines += fish_line("no-" + option.name, option);
  });
  return lines;
}

}  // namespace

std::string completion(Shell shell, const OptionTable& table) {
  switch (shell) {
    case Shell::bash:
      return bash(table);
    case Shell::zsh:
      return zsh(table);
    case Shell::fish:
      break;
  }
  return fish(table);
}

}  // namespace gradscan
