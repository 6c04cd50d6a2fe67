// What differs between two sides of a comparison, and how to apply each difference to the first.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradscan/compare.h"

namespace gradscan {

// A Difference before its replay.
struct UntriedDifference {
  std::string what, first, second;        // as in Difference
  std::function<void(Side&)> apply = {};  // makes the first side like the second; empty: its graph does not allow that
};

// Writes the kinds that the setup gives the regions into the capture; setup.checkpointing becomes as_given.
Side with_kinds(Side side);

// Setup, step and outputs first, then regions, then parameters. Expects sides from with_kinds().
std::vector<UntriedDifference> find_differences(const Side& first, const Side& second);

}  // namespace gradscan
