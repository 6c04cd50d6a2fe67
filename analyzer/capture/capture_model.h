// From a model file to a Capture: load, instrument, run forward once, walk the graph.
#pragma once

#include <string>

#include "gradscan/capture.h"
#include "gradscan/capture_file.h"

namespace gradscan {

// Runs code from the file. Throws Error: not_a_model, model_failed, usage.
Capture capture_model(const std::string& path, const CaptureOptions& options);

}  // namespace gradscan
