#include "analyzer/command/options.h"

#include <CLI/CLI.hpp>

#include "analyzer/command/option_table.h"
#include "analyzer/command/refusals.h"
#include "analyzer/command/values.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/parse.h"

namespace gradscan {
namespace {

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// What no option has taken.
void check_rest(const CLI::App& app) {
  for (const std::string& argument : app.remaining()) {
    if (argument == "--") continue;
    std::string near = did_you_mean(argument.substr(0, argument.find('=')), long_names(app));
    throw wrong(argument, "is not an option of gradscan", near.empty() ? ask_help : near);
  }
}

void parse(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"gradscan"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  app.parse(static_cast<int>(argv.size()), argv.data());
}

// The first argument that gives a value to an option that takes none; empty if there is none.
std::string flag_with_value(const CLI::App& app, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const CLI::Option* option = app.get_option_no_throw(argument.substr(0, argument.find('=')));
    if (option && option->get_items_expected_max() == 0 && argument.find('=') != std::string::npos) return argument;
  }
  return "";
}

// A value where none is taken, or none where one is. CLI11's message begins with the option.
Error mismatch(const CLI::App& app, const std::vector<std::string>& arguments, const std::string& message) {
  if (std::string flag = flag_with_value(app, arguments); !flag.empty()) return wrong(flag, "takes no value", "leave it out");
  std::string name = message.substr(0, message.find(':'));
  const CLI::Option* option = app.get_option_no_throw(name);
  return option ? wrong(name, "its " + option->get_type_name() + " is missing") : wrong("", message);
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  OptionTable table = option_table(line);
  CLI::App app;
  app.allow_extras();
  app.add_option("MODEL", line.scan.models);
  add_to(app, table);
  try {
    parse(app, arguments);
  } catch (const CLI::CallForHelp&) {
    line.action = CommandLine::Action::help;
    return line;
  } catch (const CLI::ArgumentMismatch& error) {
    throw mismatch(app, arguments, error.what());
  } catch (const CLI::ParseError& error) {
    throw wrong("", error.what());
  }
  check_rest(app);
  if (line.completion) line.action = CommandLine::Action::completion;
  line.scan.asks_setup = line.scan.options != ScanOptions{} || line.scan.fix;
  if (line.action == CommandLine::Action::scan) refuse_what_makes_no_sense(line, table, app);
  return line;
}

}  // namespace gradscan
