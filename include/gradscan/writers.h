// The renderings of a Report. Each returns the whole document; the same report gives the same bytes.
//
//     std::cout << to_text(report, {.color = true, .width = 100});
//     write_file("report.svg", to_svg(report));
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan {

struct TextOptions {
  bool color = false;  // ANSI colours
  int width = 80;      // columns to wrap prose at
};

// For a terminal: the file, DDP's verdict, all parameters concerned, why, the table of setups.
std::string to_text(const Report& report, const TextOptions& options = {});

// The whole story of one parameter. Throws Error (usage), naming near matches, if the report has no such parameter.
std::string explain(const Report& report, std::string_view name_or_index, const TextOptions& options = {});

// Schema "gradscan-report/1"; see docs/report-format.md.
std::string to_json(const Report& report);

// The picture of the part in conflict, as Graphviz source and laid out as SVG. Layout runs in a child process: it takes at most
// `time_limit` and cannot take the caller with it. Throws Error: limit if the time is over, output if layout fails.
std::string to_dot(const Report& report);
std::string to_svg(const Report& report, std::chrono::milliseconds time_limit = std::chrono::seconds(20));

// Replaces the file in one step: writes beside it, then renames. Throws Error (output).
void write_file(const std::string& path, std::string_view content);

// Throws Error (output) if write_file() would fail: the folder is missing or not writable, or path is a folder.
void check_writable(const std::string& path);

}  // namespace gradscan
