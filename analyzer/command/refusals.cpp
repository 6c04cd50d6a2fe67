#include "analyzer/command/refusals.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "analyzer/base/files.h"
#include "analyzer/command/values.h"

namespace gradscan {
namespace {

using Visit = std::function<void(const Option&, const std::vector<std::string>& values)>;

// Options that were given, with their values as they were written.
void each_given(const OptionTable& table, const CLI::App& parser, const Visit& visit) {
  for (const OptionGroup& group : table)
    for (const Option& option : group.options)
      if (const CLI::Option* given = parser.get_option("--" + option.name); given->count()) visit(option, given->results());
}

void refuse_models(const std::vector<std::string>& models) {
  if (models.empty() || models.front().empty())
    throw wrong("", "no model is given", "write gradscan MODEL, or see gradscan --help");
  std::set<std::string> files;
  for (const std::string& model : models)
    if (!files.insert(resolved(model)).second) throw wrong(model, "is given twice", "name every file once");
}

void refuse_together(const OptionTable& table, const CLI::App& parser, bool several_models) {
  each_given(table, parser, [&](const Option& option, const auto&) {
    if (several_models && option.one_model)
      throw wrong("--" + option.name, "is for one model", "give one, or leave the option out");
    for (const std::string& question : option.apart_from)
      if (parser.count("--" + question))
        throw wrong("--" + question, "cannot be answered together with --" + option.name, "leave one of them out");
  });
}

bool any_format(const OutputRequest& write, bool (*is_such)(Format)) {
  return is_such(write.format) ||
         std::any_of(write.files.begin(), write.files.end(), [&](const OutputFile& file) { return is_such(file.format); });
}

// A picture shows one model; a plan or a comparison, which takes the place of the report, is neither a picture nor a page.
void refuse_formats(const CommandLine& line) {
  if (line.scan.models.size() > 1 && any_format(line.write, draws))
    throw wrong("", "a picture shows one model", "use HTML for several: -o report.html");
  if ((line.scan.compare || line.scan.budget) && any_format(line.write, is_for_reports_only))
    throw wrong(line.scan.compare ? "--compare" : "--budget", "is answered as text or JSON", "use one of these");
  if (line.write.explain && line.write.format != Format::text)
    throw wrong("--explain", "prints text only", "leave out --format");
  if (const PictureOptions& picture = line.write.picture; picture.whole && !picture.focus.empty())
    throw wrong("--focus " + picture.focus, "is a part, and --whole is not", "leave one of them out");
}

// Files that are read, and the name of the option that names them; it is empty for models.
std::map<std::string, std::string> files_read(const std::vector<std::string>& models, const OptionTable& table,
                                              const CLI::App& parser) {
  std::map<std::string, std::string> read;
  for (const std::string& model : models) read.emplace(resolved(model), "");
  each_given(table, parser, [&](const Option& option, const std::vector<std::string>& paths) {
    if (option.value.takes != Takes::file) return;
    for (const std::string& path : paths) read.emplace(resolved(path), option.name);
  });
  return read;
}

void refuse_outputs(const std::map<std::string, std::string>& read, const OptionTable& table, const CLI::App& parser) {
  std::set<std::string> written;
  each_given(table, parser, [&](const Option& option, const std::vector<std::string>& paths) {
    if (option.value.takes != Takes::output) return;
    for (const std::string& path : paths) {
      std::string subject = short_form(option) + " " + path, file = resolved(path);
      bool may_be = !read.contains(file) || (!option.may_replace.empty() && read.at(file) == option.may_replace);
      if (!may_be) throw wrong(subject, "that file is read", "choose another name");
      if (!written.insert(file).second) throw wrong(subject, "two outputs go to this file", "choose another name");
    }
  });
}

}  // namespace

void refuse_what_makes_no_sense(const CommandLine& line, const OptionTable& table, const CLI::App& parser) {
  const std::vector<std::string>& models = line.scan.models;
  refuse_models(models);
  refuse_together(table, parser, models.size() > 1);
  refuse_formats(line);
  refuse_outputs(files_read(models, table, parser), table, parser);
}

}  // namespace gradscan
