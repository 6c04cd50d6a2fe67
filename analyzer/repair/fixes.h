// Which changes repair the setup asked, and which popular ones do not. Each is tried: a change is a fix if the report of the
// changed model in the changed setup has no conflict.
//
// Changes of one thing are tried first; then, where flags of DDP alone do not help, kinds of checkpointing together with flags,
// and what is done for dead parameters together with DDP's defaults; and everything at once if nothing else has helped. Flags
// and kinds are in the table already; of the others there are at most two dozen, each for one replay.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/repair/candidates.h"
#include "gradscan/report.h"

namespace gradscan {

struct Trial {
  bool clean = false;     // whether nothing is wrong
  std::string failure{};  // else what is, in a sentence: the title of the first finding
};

Trial trial_of(const Report& report);

// Tries candidates; the result has a trial for each.
using TryAll = std::function<std::vector<Trial>(const std::vector<Candidate>&)>;

// Fills report.fixes and report.no_help, from the rest of the report; leaves both empty if it has no conflict.
void add_fixes(std::span<const Capture> in_turn, Report& report, const TryAll& try_all);

// That a smaller batch does not help, and what it would need: to be told when the report has its price.
void add_smaller_batch(Report& report);

}  // namespace gradscan
