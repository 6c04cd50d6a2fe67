// The pipeline from files to a Report, once for all who run it:
//
//     std::vector<Capture> in_turn = captures_in_turn(path, options, capture);
//     Report report = report_on(in_turn, options);
//
// Only how a file is captured differs: the library's scan() does it in its own process, the command line in a child.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradscan/scan.h"

namespace gradscan {

using CaptureFile = std::function<Capture(const std::string& path, const CaptureOptions& options)>;

// Of the file and of those of ScanOptions::then, which play in turn with it. Throws Error if they are not of one model.
std::vector<Capture> captures_in_turn(const std::string& path, const ScanOptions& options, const CaptureFile& capture);

// With the edits of the options and, if it is given, the fix of this number, from 1, out of those that the report offers without
// it. Throws Error (usage) if there is no such fix.
Report report_on(std::span<const Capture> in_turn, const ScanOptions& options, std::optional<int> fix = {});

}  // namespace gradscan
