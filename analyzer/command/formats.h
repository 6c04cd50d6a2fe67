// Formats: their names, and the extensions of their files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradscan {

enum class Format { text, json, html, markdown, svg, dot, sarif, github };

// Their names, for --format.
std::vector<std::pair<std::string, Format>> format_choices();

// The format of a file of this name ("report.md"); empty if its extension is none of these.
std::optional<Format> format_of_file(std::string_view path);
std::vector<std::string> format_extensions();

// A picture is of one model; of a plan or a comparison there are text and JSON only.
bool draws(Format format);
bool is_for_reports_only(Format format);

}  // namespace gradscan
