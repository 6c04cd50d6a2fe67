// Which checkpoints fit into a given memory at the least recomputation: a set of calls, none of which lies inside another.
#pragma once

#include <cstdint>
#include <vector>

namespace gradscan {

// Something to choose, all or nothing.
struct Option {
  int parent = -1;              // the option that encloses it; parents precede their children
  bool eligible = true;         // false: it only encloses others
  std::int64_t freed = 0;       // bytes saved between forward and backward by choosing it; may be negative
  std::int64_t recomputed = 0;  // bytes that its recomputation needs
  std::int64_t flops = 0;       // of its recomputation
};

// Positions of the chosen options, ascending. Minimises FLOPs under the condition that the bytes freed, less the memory for the
// largest recomputation, are at least `excess`. If no choice achieves that, returns the one that comes closest.
std::vector<int> choose(const std::vector<Option>& options, std::int64_t excess);

}  // namespace gradscan
