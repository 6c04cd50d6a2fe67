#include "analyzer/command/formats.h"

#include <array>

namespace gradscan {
namespace {

struct Row {
  Format format;
  std::string_view name, extension;
};

constexpr std::array<Row, 8> rows{{{Format::text, "text", ".txt"},
                                   {Format::json, "json", ".json"},
                                   {Format::html, "html", ".html"},
                                   {Format::markdown, "markdown", ".md"},
                                   {Format::svg, "svg", ".svg"},
                                   {Format::dot, "dot", ".dot"},
                                   {Format::sarif, "sarif", ".sarif"},
                                   {Format::github, "github", ""}}};

}  // namespace

std::vector<std::pair<std::string, Format>> format_choices() {
  std::vector<std::pair<std::string, Format>> choices;
  for (const Row& row : rows) choices.emplace_back(row.name, row.format);
  return choices;
}

std::optional<Format> format_of_file(std::string_view path) {
  for (const Row& row : rows)
    if (!row.extension.empty() && path.size() > row.extension.size() && path.ends_with(row.extension)) return row.format;
  return {};
}

std::vector<std::string> format_extensions() {
  std::vector<std::string> extensions;
  for (const Row& row : rows)
    if (!row.extension.empty()) extensions.emplace_back(row.extension);
  return extensions;
}

bool draws(Format format) {
  return format == Format::svg || format == Format::dot;
}

bool is_for_reports_only(Format format) {
  return format != Format::text && format != Format::json;
}

}  // namespace gradscan
