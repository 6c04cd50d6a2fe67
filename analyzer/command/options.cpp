#include "analyzer/command/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "analyzer/base/files.h"
#include "analyzer/command/option_table.h"
#include "analyzer/command/values.h"
#include "analyzer/text/near_matches.h"

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

std::vector<std::string> given(const CLI::App& app, const Option& option) {
  return app.get_option("--" + option.name)->results();
}

// For each row, with what was given of it; nothing of those that were not.
void each_given(const CLI::App& app, const OptionTable& table,
                const std::function<void(const Option&, const std::vector<std::string>&)>& visit) {
  for (const OptionGroup& group : table)
    for (const Option& option : group.options)
      if (std::vector<std::string> values = given(app, option); !values.empty()) visit(option, values);
}

// No file is read twice, written twice, or both.
void check_files(const CLI::App& app, const OptionTable& table, const std::vector<std::string>& models) {
  std::map<std::string, std::string> read;  // by what option
  std::set<std::string> written;
  for (const std::string& model : models)
    if (!read.try_emplace(resolved(model)).second) throw wrong(model, "is given twice", "name every file once");
  each_given(app, table, [&](const Option& option, const std::vector<std::string>& paths) {
    if (option.value.takes != Takes::file) return;
    for (const std::string& path : paths) read.try_emplace(resolved(path), option.name);
  });
  each_given(app, table, [&](const Option& option, const std::vector<std::string>& paths) {
    if (option.value.takes != Takes::output) return;
    for (const std::string& path : paths) {
      std::string subject = short_form(option) + " " + path;
      auto reader = read.find(resolved(path));
      if (reader != read.end() && (reader->second.empty() || reader->second != option.may_replace))
        throw wrong(subject, "that file is read", "choose another name");
      if (!written.insert(resolved(path)).second) throw wrong(subject, "two outputs go to this file", "choose another name");
    }
  });
}

bool any_format(const OutputRequest& write, bool (*is_such)(Format)) {
  return is_such(write.format) ||
         std::any_of(write.files.begin(), write.files.end(), [&](const OutputFile& file) { return is_such(file.format); });
}

void check_together(const CLI::App& app, const OptionTable& table, bool several_models) {
  each_given(app, table, [&](const Option& option, const auto&) {
    if (several_models && option.one_model)
      throw wrong("--" + option.name, "is for one model", "give one, or leave the option out");
    for (const std::string& question : option.apart_from)
      if (app.count("--" + question))
        throw wrong("--" + question, "cannot be answered together with --" + option.name, "leave one of them out");
  });
}

// A picture shows one model; a plan or a comparison, which takes the place of the report, has no pictures or pages.
void check_formats(const CommandLine& line) {
  if (line.scan.models.size() > 1 && any_format(line.write, draws))
    throw wrong("", "a picture shows one model", "use HTML for several: -o report.html");
  if ((line.scan.compare || line.scan.budget) && any_format(line.write, is_for_reports_only))
    throw wrong(line.scan.compare ? "--compare" : "--budget", "is answered as text or JSON", "use one of these");
  if (line.write.explain && line.write.format != Format::text)
    throw wrong("--explain", "is told as text only", "leave out --format");
}

void check(const CommandLine& line, const CLI::App& app, const OptionTable& table) {
  const std::vector<std::string>& models = line.scan.models;
  if (models.empty() || models.front().empty())
    throw wrong("", "no model is given", "write gradscan MODEL, or see gradscan --help");
  const PictureOptions& picture = line.write.picture;
  if (picture.whole && !picture.focus.empty())
    throw wrong("--focus " + picture.focus, "is a part, and --whole is not", "leave one of them out");
  check_together(app, table, models.size() > 1);
  check_formats(line);
  check_files(app, table, models);
}

void parse(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"gradscan"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  app.parse(static_cast<int>(argv.size()), argv.data());
}

// The first argument that gives a value to an option that takes none.
std::string flag_with_value(const CLI::App& app, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const CLI::Option* option = app.get_option_no_throw(argument.substr(0, argument.find('=')));
    if (option && option->get_items_expected_max() == 0 && argument.find('=') != std::string::npos) return argument;
  }
  return "";
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
    std::string_view what = error.what();
    bool overridden = what.find("disallowed flag override") != std::string_view::npos;
    throw overridden ? wrong(flag_with_value(app, arguments), "takes no value", "leave it out") : wrong("", error.what());
  } catch (const CLI::ParseError& error) {
    throw wrong("", error.what());
  }
  check_rest(app);
  if (line.completion) line.action = CommandLine::Action::completion;
  line.scan.asks_setup = line.scan.options != ScanOptions{} || line.scan.fix;
  if (line.action == CommandLine::Action::scan) check(line, app, table);
  return line;
}

}  // namespace gradscan
