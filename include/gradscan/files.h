// Files that are written completely or not at all.
//
//     check_writable("report.svg");                     // before the work, not after it
//     write_file("report.svg", to_svg(report));         // gradscan/writers.h
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// Replaces the file atomically: writes a file beside it, then renames that. Throws Error (output).
void write_file(const std::string& path, std::string_view content);

// Throws Error (output) if write_file() would fail: the folder is missing or not writable, or path is a folder.
void check_writable(const std::string& path);

}  // namespace gradscan
