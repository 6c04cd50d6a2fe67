// A Comparison: why DDP fails with one model and not with another.
//
//     Comparison comparison = compare({a, setup_a}, {b, setup_b});
//     for (const Difference& difference : comparison.differences)
//       if (difference.decides) std::cout << difference.what << '\n';
//
// The two are aligned by the names of regions, modules and parameters. Each difference is then applied to the first on its own,
// and the first is replayed with it: a difference decides if it gives the first the second's outcome.
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
  std::optional<Verdict> verdict{};  // of the first with it; empty if it cannot be applied to the first's graph
  bool decides = false;              // whether the first then has the second's outcome
};

struct Comparison {
  Report first, second;
  std::vector<Difference> differences{};  // those that decide come first; then setup, regions, parameters
  bool same_outcome = false;              // whether both have the same outcome: then nothing decides
  // Whether all differences that can be applied give the first the second's outcome together. If none decides on its own, this
  // says whether several do together.
  bool together = false;
};

Comparison compare(const Side& first, const Side& second);

}  // namespace gradscan
