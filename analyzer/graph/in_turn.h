// Captures that forward calls play in turn (see gradscan/replay.h) are of one model, run with different inputs or branches.
#pragma once

#include <string>

#include "gradscan/capture.h"

namespace gradscan {

// Whether both have the same parameters.
bool of_one_model(const Capture& left, const Capture& right);

// Throws Error (usage) unless the capture, which --then names, has the same parameters as the first.
void check_then(const Capture& first, const Capture& capture, const std::string& then);

}  // namespace gradscan
