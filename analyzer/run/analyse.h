// analyse() for one setup.
#pragma once

#include <span>

#include "gradscan/capture.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"

namespace gradscan {

// A report on this setup alone, without verdicts of other setups, prices or fixes.
Report report_of_one(std::span<const Capture> in_turn, const Setup& setup);

}  // namespace gradscan
