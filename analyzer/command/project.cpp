#include "analyzer/command/project.h"

#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <filesystem>

#include "analyzer/command/option_table.h"
#include "analyzer/command/values.h"

namespace gradscan {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "gradscan.toml";

// The nearest gradscan.toml beside the model or above; empty if there is none.
std::string nearest(const std::string& model) {
  std::error_code ignored;
  fs::path folder = fs::absolute(model, ignored).lexically_normal().parent_path();
  for (;; folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / file_name, ignored)) return (folder / file_name).string();
    if (folder == folder.parent_path()) return "";
  }
}

class Translation {
 public:
  Translation(const std::string& file, const OptionTable& table) : file_(file), table_(table) {}

  void add(const std::string& key, const toml::node& value) {
    const Option* option = find_option(table_, key);
    if (option && option->single_run) throw wrong(file_, key + " is asked of a single run", "remove it");
    if (const toml::array* list = value.as_array())
      for (const toml::node& each : *list) add_one(key, each);
    else
      add_one(key, value);
  }

  std::vector<std::string> take() { return std::move(arguments_); }

 private:
  void add_one(const std::string& key, const toml::node& value) {
    if (auto flag = value.value_exact<bool>())
      arguments_.push_back((*flag ? "--" : "--no-") + key);
    else
      arguments_.push_back("--" + key + "=" + text_of(key, value));
  }

  std::string text_of(const std::string& key, const toml::node& value) const {
    auto text = value.value_exact<std::string>();
    if (text && text->find('\0') != std::string::npos)
      throw wrong(file_, "the value of " + key + " has a NUL in it", "mend it");
    if (text) return is_path(key) ? (fs::path(file_).parent_path() / *text).lexically_normal().string() : *text;
    if (auto number = value.value_exact<std::int64_t>()) return std::to_string(*number);
    if (!value.is_floating_point()) throw wrong(file_, "the value of " + key + " is not of an option", "see gradscan --help");
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.begin(), digits.end(), *value.value_exact<double>()).ptr};
  }

  bool is_path(const std::string& key) const {
    const Option* option = find_option(table_, key);
    return option && takes_path(*option);
  }

  const std::string& file_;
  const OptionTable& table_;
  std::vector<std::string> arguments_;
};

toml::table read(const std::string& file) {
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw wrong(file, "line " + std::to_string(error.source().begin.line) + " is not TOML: " + std::string(error.description()),
                "mend it");
  }
}

// Wrong keys and values are errors of the file, not of the command line.
void check_options(const std::string& file, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "MODEL");  // in front: an option that lacks its value takes nothing else for it
  try {
    parse_command_line(arguments);
  } catch (const Error& error) {
    throw wrong(file, error.what(), "");
  }
}

}  // namespace

Project project_of(const std::vector<std::string>& models) {
  if (models.empty()) return {};
  Project project{.file = nearest(models.front()), .arguments = {}};
  for (const std::string& model : models)
    if (nearest(model) != project.file)
      throw wrong(model, "is of another project than " + models.front(),
                  "scan the models of each " + std::string(file_name) + " in a run of their own");
  if (project.file.empty()) return project;
  CommandLine unused;
  OptionTable table = option_table(unused);
  Translation translation(project.file, table);
  for (const auto& [key, value] : read(project.file)) translation.add(std::string(key.str()), value);
  project.arguments = translation.take();
  check_options(project.file, project.arguments);
  return project;
}

}  // namespace gradscan
