#include "analyzer/command/formats.h"

#include <array>
#include <vector>

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

template <typename Member>
std::string listed(Member member) {
  std::vector<std::string_view> words;
  for (const Row& row : rows)
    if (!(row.*member).empty()) words.push_back(row.*member);
  std::string list;
  for (std::size_t at = 0; at < words.size(); ++at)
    list.append(at == 0 ? "" : at + 1 == words.size() ? " or " : ", ").append(words[at]);
  return list;
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.format;
  return {};
}

std::optional<Format> format_of_file(std::string_view path) {
  for (const Row& row : rows)
    if (!row.extension.empty() && path.size() > row.extension.size() && path.ends_with(row.extension)) return row.format;
  return {};
}

std::string format_names() {
  return listed(&Row::name);
}

std::string format_extensions() {
  return listed(&Row::extension);
}

bool draws(Format format) {
  return format == Format::svg || format == Format::dot;
}

bool is_for_reports_only(Format format) {
  return format != Format::text && format != Format::json;
}

}  // namespace gradscan
