// The pipeline from files to a Report, shared by the library and the command line:
//
//     std::vector<Capture> in_turn = captures_in_turn(path, options, capture);
//     Report report = report_on(in_turn, options);
//
// They differ only in how a file is captured: the library's scan() captures in its own process, the command line in a child.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradscan/scan.h"

namespace gradscan {

using CaptureFile = std::function<Capture(const std::string& path, const CaptureOptions& options)>;

// Captures of the file and of those in ScanOptions::then, which take turns with it. Throws Error if they are not of one model.
std::vector<Capture> captures_in_turn(const std::string& path, const ScanOptions& options, const CaptureFile& capture);

// Applies the edits in the options and, if given, the fix with this number (from 1) in the report without it. Throws Error
// (usage) if there is no such fix.
Report report_on(std::span<const Capture> in_turn, const ScanOptions& options, std::optional<int> fix = {});

}  // namespace gradscan
