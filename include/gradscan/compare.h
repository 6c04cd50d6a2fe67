// A Comparison: why does DDP fail with one model and not with the other?
//
//     Comparison comparison = compare({a, setup_a}, {b, setup_b});
//     for (const Difference& difference : comparison.differences)
//       if (difference.decides) std::cout << difference.what << '\n';
//
// The two are aligned by the names of regions, modules and parameters. Each difference is then taken over from the second into
// the first, by itself, and the first replayed with it: a difference decides if that gives the first the second's outcome.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

struct Side {
  Capture capture{};
  Setup setup{};
};

struct Difference {
  std::string what{};                // "kind of region layer4.2", "find_unused_parameters", "embedding.weight is shared"
  std::string first, second;         // how it is in each: "reentrant", "not checkpointed"
  std::optional<Verdict> verdict{};  // of the first with it; empty: it cannot be taken over into the first's graph
  bool decides = false;              // whether the first then ends as the second does
};

struct Comparison {
  Report first, second;
  std::vector<Difference> differences{};  // those that decide first, then setup, regions, parameters
  bool same_outcome = false;              // whether both end alike: then nothing decides
  // Whether all differences that can be taken over, together, give the first the second's outcome. Where none decides by
  // itself, this tells whether several do together.
  bool together = false;
};

Comparison compare(const Side& first, const Side& second);

}  // namespace gradscan
