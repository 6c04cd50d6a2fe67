// Captures of any size, made by a formula, for the benchmarks.
#pragma once

#include "gradscan/capture.h"

namespace gradscan {

inline constexpr int nodes_per_block = 38;

// A transformer of that many blocks, each of them a reentrant region, with an input that requires grad:
// 38 nodes per block, of them 12 parameters and the 2 boundaries of its region, and one node for the input.
Capture transformer(int blocks);

}  // namespace gradscan
