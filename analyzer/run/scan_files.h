// From the files on a command line to the result: a survey of reports, a plan or a comparison.
//
// A single model is loaded and run in a child process (see isolate.h) and analysed in this one. If there are several files,
// each is scanned in a process of its own, at most ScanRequest::parallel at a time; a file that fails does not stop the others.
#pragma once

#include <functional>
#include <optional>
#include <variant>

#include "analyzer/run/request.h"
#include "gradscan/compare.h"
#include "gradscan/plan.h"
#include "gradscan/survey.h"

namespace gradscan {

// Exit codes of successful runs; see Failure for the others.
inline constexpr int exit_clean = 0, exit_conflict = 1;

using Result = std::variant<Survey, Plan, Comparison>;

struct ScanResult {
  Result result;
  int exit_code = 0;
  std::optional<Capture> capture;  // of the model, if exactly one was run; empty for several files and for saved reports
};

// Called with (files done, files in all) whenever one of several files has been scanned. By any thread, one call at a time.
using Progress = std::function<void(std::size_t, std::size_t)>;

// Throws Error if a single file, or the file it is compared with, cannot be scanned. Calls `save` with the capture of a single
// model if its analysis hits a bug in gradscan, so that the capture can go into a bug report.
ScanResult scan_files(const ScanRequest& request, const Progress& progress, const std::function<void(const Capture&)>& save);

}  // namespace gradscan
