// An option of the command line is one row of a table (option_table.cpp):
//
//     {.name = "radius", .value = whole_number(picture.radius, "N", 0, 1000), .help = "how many steps around it"},
//
// From the rows come the parser, --help, the man page, the completion of shells, the keys of gradscan.toml and the refusals of
// options that do not go together.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gradscan {

// What an option is given. Paths in gradscan.toml are relative to its folder.
enum class Takes { nothing, text, choice, file, output };

// Where the value goes is known to the value itself: a table is made for one CommandLine.
struct Value {
  Takes takes = Takes::text;
  std::string metavar{};
  std::vector<std::string> words{};  // those of a choice, names that a text may be, or extensions of a file: ".json"
  bool repeats = false;              // each value counts; otherwise the last one
  bool negatable = false;            // of an option that takes nothing: it has a --no-NAME too
  std::function<CLI::Option*(CLI::App& app, const std::string& flags)> add{};  // flags as CLI11 has them: "-o,--output"
};

struct Option {
  std::string name;  // the long one, which is its key in gradscan.toml too
  char letter = 0;   // of its short name; 0: it has none
  Value value;
  std::string help;                       // "{}" stands for the value's words
  bool single_run = false;                // it is asked of one run, and does not stand in gradscan.toml
  bool one_model = false;                 // it is not asked of several models
  std::vector<std::string> apart_from{};  // questions that cannot be answered together with it
  std::string may_replace{};              // the option whose file this output may be
};

struct OptionGroup {
  std::string title;
  std::vector<Option> options;
};

using OptionTable = std::vector<OptionGroup>;

void add_to(CLI::App& app, const OptionTable& table);

// nullptr: there is none of this name.
const Option* find_option(const OptionTable& table, std::string_view name);

bool takes_path(const Option& option);

// "--radius", "-o": how errors call it.
std::string short_form(const Option& option);

// All that may be typed: {"-o", "--output"}, {"--static-graph", "--no-static-graph"}.
std::vector<std::string> spellings(const Option& option);

// The help with its words: "count its state as memory: sgd, sgd-momentum or adam".
std::string full_help(const Option& option);

// Its first clause, for a list: "count its state as memory".
std::string short_help(const Option& option);

}  // namespace gradscan
