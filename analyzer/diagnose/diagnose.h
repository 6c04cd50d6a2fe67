// A diagnosed Report: the facts, and what is wrong.
#pragma once

#include <span>

#include "analyzer/report/facts.h"

namespace gradscan {

// facts_of() with findings.
Report diagnosed(std::span<const Capture> in_turn, const Setup& setup, const Predictions& predictions, Replays replays);

}  // namespace gradscan
