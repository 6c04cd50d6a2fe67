// Formats: their names, and the extensions of their files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gradscan {

enum class Format { text, json, html, markdown, svg, dot, sarif, github };

// The format of this name ("markdown") or of a file of this name ("report.md"); empty if there is none.
std::optional<Format> format_named(std::string_view name);
std::optional<Format> format_of_file(std::string_view path);

// "text, json, ... or github"; ".txt, .json, ... or .sarif".
std::string format_names();
std::string format_extensions();

// A picture is of one model; of a plan or a comparison there are text and JSON only.
bool draws(Format format);
bool is_for_reports_only(Format format);

}  // namespace gradscan
