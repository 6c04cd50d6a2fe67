// Which changes repair the requested setup, and which popular ones do not. Each candidate is tried: it is a fix if the report
// of the changed model in the changed setup has no conflict.
//
// Changes of a single thing are tried first; then, if DDP's flags alone do not help, kinds of checkpointing combined with
// flags, and changes for dead parameters combined with DDP's defaults; and everything at once if nothing else has helped. Flags
// and kinds are in the table of setups already; of the others there are at most two dozen, each of which costs one replay.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/repair/candidates.h"
#include "gradscan/report.h"

namespace gradscan {

struct Trial {
  bool clean = false;     // whether nothing is wrong with the graphs of the file
  bool varies = false;    // whether other graphs may have another outcome
  std::string failure{};  // otherwise what is wrong: the title of the first finding
};

Trial trial_of(const Report& report);

// Tries the candidates and returns a trial for each.
using TryAll = std::function<std::vector<Trial>(const std::vector<Candidate>&)>;

// Fills report.fixes and report.no_help from the rest of the report; leaves both empty if it has no conflict.
void add_fixes(std::span<const Capture> in_turn, Report& report, const TryAll& try_all);

// Adds that a smaller batch does not help, and what it would need. Call it once the report has its price.
void add_smaller_batch(Report& report);

}  // namespace gradscan
