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

// Numbers of the options chosen, ascending. They free as much as leaves `excess` or less of itself when what the largest of
// their recomputations needs is added: sum of freed - largest recomputed >= excess, with the least FLOPs. Where no choice does,
// the one for which that difference is largest.
std::vector<int> choose(const std::vector<Option>& options, std::int64_t excess);

}  // namespace gradscan
