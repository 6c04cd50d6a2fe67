// Which checkpoints fit into a given memory at the least recomputation: a choice of calls of which none lies inside of another.
#pragma once

#include <cstdint>
#include <vector>

namespace gradscan {

// What can be chosen, as a whole or not at all.
struct Option {
  int parent = -1;              // the option that encloses it; parents stand before their children
  bool eligible = true;         // false: it only encloses others
  std::int64_t freed = 0;       // bytes less between forward and backward if it is chosen; may be negative
  std::int64_t recomputed = 0;  // bytes that its recomputation needs
  std::int64_t flops = 0;       // of its recomputation
};

// Numbers of the options chosen, ascending: at the least FLOPs, so that the bytes that they free, less what the largest of
// their recomputations needs, are at least `excess`. Where no choice reaches that, the one that comes nearest.
std::vector<int> choose(const std::vector<Option>& options, std::int64_t excess);

}  // namespace gradscan
