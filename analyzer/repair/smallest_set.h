// The smallest set of reentrant checkpoint regions that have to change for everything to be right.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// Regions of one name: one line of the training script, which may be executed several times.
struct NamedRegions {
  std::string name;
  std::int64_t saved_bytes = 0;  // sum of their RegionReport::saved_bytes
};

// Which of `names` have to stop being reentrant so that predict() finds nothing wrong in the setup: positions, ascending. All
// other regions stay as they are. Empty if changing even all of them does not help.
//
// All of them are switched off first and then made reentrant again, those that save most memory first, as long as the
// prediction stays clean: half of them at once, then half of that half if that is too many, so that k harmful regions out of n
// cost k log n predictions. Once four million nodes have been visited (about two seconds), no more regions are switched back.
std::vector<int> smallest_set(std::span<const Capture> in_turn, const Setup& setup, const std::vector<NamedRegions>& names);

}  // namespace gradscan
