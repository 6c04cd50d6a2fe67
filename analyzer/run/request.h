// What a run is asked, as plain data: which files to scan, and what to find out about them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradscan/scan.h"

namespace gradscan {

struct ScanRequest {
  std::vector<std::string> models;  // one at least; reports that have been saved as JSON may be among them
  ScanOptions options;
  bool asks_setup = false;               // whether options say how the model is trained, what it is given or how it is changed
  std::optional<int> fix;                // number of the fix to apply, from 1
  std::optional<std::string> compare;    // the file to compare with
  std::optional<std::int64_t> budget;    // bytes, to plan checkpoints for
  std::chrono::seconds time_limit{600};  // for loading and running a model
  int parallel = 1;                      // files that are scanned at a time
};

}  // namespace gradscan
