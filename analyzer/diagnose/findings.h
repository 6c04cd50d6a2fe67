// The findings of a report: errors, silent failures and notes, each with the affected parameters and the reason.
//
//   marked-ready-twice     DDP raises: parameters with more than one ready mark
//   unfinished-reduction   DDP raises: parameters without a mark
//   graph-changed          DDP raises: static_graph, and a later iteration fires differently from iteration 0
//   other-error            DDP or backward itself raises something else
//   not-averaged           silent: gradients that differ between the ranks
//   not-trained            silent: parameters that lose their gradient to checkpointing
//                          note: parameters that the loss does not depend on
//   no-regions-named       note: gradscan knows of no checkpoint region
#pragma once

#include <vector>

#include "gradscan/report.h"

namespace gradscan {

// Reads all of the report except its findings and fixes.
std::vector<Finding> find_conflicts(const Report& report);

// Parameters of verdict.untrained that would be trained without checkpointing; the loss does not depend on the others.
std::vector<int> lost_to_checkpointing(const Report& report, const Verdict& verdict);

// Whether the setup has the same kinds of regions as the report, and a region with parameters is lost (RegionReport::lost).
bool loses_regions(const Report& report, const Setup& setup);

// Titles of findings, more than notes, that do not follow from the replay: what real runs of the model have shown, and what is
// not known.
std::vector<std::string> found_besides_replay(const Report& report);

}  // namespace gradscan
