// From the files that a command line names to its result: a survey of reports, a plan or a comparison.
//
// A model is loaded and run in a child process (see isolate.h) and analysed in this one. Of several files each is scanned in a
// process of its own, at most ScanRequest::parallel at a time; a file that fails does not stop the others.
#pragma once

#include <functional>
#include <optional>
#include <variant>

#include "analyzer/run/request.h"
#include "gradscan/compare.h"
#include "gradscan/plan.h"
#include "gradscan/survey.h"

namespace gradscan {

// Exit codes of runs that do not fail; see Failure for the others.
inline constexpr int exit_clean = 0, exit_conflict = 1;

using Result = std::variant<Survey, Plan, Comparison>;

struct ScanResult {
  Result result;
  int exit_code = 0;
  std::optional<Capture> capture;  // of the one model that was run; empty for several, and for saved reports
};

// Called when a file of several has been scanned: how many are done, of how many. By any thread, one at a time.
using Progress = std::function<void(std::size_t, std::size_t)>;

// Throws Error if a single file, or what it is compared with, cannot be scanned. `save` is called with the capture of a single
// model whose analysis ends with a bug in gradscan: who reports it needs the capture.
ScanResult scan_files(const ScanRequest& request, const Progress& progress, const std::function<void(const Capture&)>& save);

}  // namespace gradscan
