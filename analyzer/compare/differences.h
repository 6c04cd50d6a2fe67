// What differs between two sides of a comparison, and how the first is given it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradscan/compare.h"

namespace gradscan {

struct UntriedDifference {
  std::string what, first, second;            // as in Difference
  std::function<void(Side&)> take_over = {};  // changes the first side; empty: its graph cannot tell what would be then
};

// With the kinds that the setup gives the regions in the capture itself: setup.checkpointing is as_given.
Side with_kinds(Side side);

// Setup, step and outputs first, then regions, then parameters. Sides are as with_kinds() returns them.
std::vector<UntriedDifference> find_differences(const Side& first, const Side& second);

}  // namespace gradscan
