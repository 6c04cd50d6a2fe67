// A request for a run, as plain data: which files to scan, and what to find out about them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradscan/scan.h"

namespace gradscan {

struct ScanRequest {
  std::vector<std::string> models;  // at least one; may include reports saved as JSON
  ScanOptions options;
  bool asks_setup = false;               // whether options set how the model is trained, its inputs or edits
  std::optional<int> fix;                // number of the fix to apply, from 1
  std::optional<std::string> compare;    // the file to compare with
  std::optional<std::int64_t> budget;    // bytes, to plan checkpoints for
  std::chrono::seconds time_limit{600};  // for loading and running a model
  int parallel = 1;                      // files scanned at a time
};

}  // namespace gradscan
