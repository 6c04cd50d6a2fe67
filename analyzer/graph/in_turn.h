// Captures that forward calls play in turn (see gradscan/replay.h) are of one model, run with different inputs or branches.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Whether both have the same parameters.
bool of_one_model(const Capture& left, const Capture& right);

// Throws Error (usage) unless the captures after the first, which --then names, have the same parameters as the first.
void check_then(std::span<const Capture> in_turn, const std::vector<std::string>& then);

}  // namespace gradscan
