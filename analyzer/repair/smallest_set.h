// The smallest set of reentrant checkpoint regions without which nothing is wrong.
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
  std::int64_t saved_bytes = 0;  // RegionReport::saved_bytes of all of them
};

// Which of `names` have to stop being reentrant so that the graph passes predict nothing wrong in the setup: positions,
// ascending. All other regions stay as they are. Where even all of them together do not help: empty.
//
// All of them are taken away first and then given back, those that save most memory first, as long as the prediction stays
// clean: half of them at once, and half of a half where that is too much, so that k regions in the way of n cost k log n
// predictions. Once four million nodes have been looked at (about two seconds), nothing more is given back.
std::vector<int> smallest_set(std::span<const Capture> in_turn, const Setup& setup, const std::vector<NamedRegions>& names);

}  // namespace gradscan
