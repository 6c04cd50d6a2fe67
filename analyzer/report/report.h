// Questions about a report that several higher-level rooms ask.
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

// The outermost reentrant region that is not executed, among `region` and those around it; none if all are executed.
int blocked_at(const Report& report, int region);

// Whether the loss is a guess that could be wrong: more than one output requires grad.
bool has_doubtful_loss(const Report& report);

// Of the region if it has the kind that it gets with this choice of checkpointing.
const Reach& reach_of(const RegionReport& region, Checkpointing checkpointing);

// Report::dropping, varying and ended.
std::vector<std::string> reasons_to_vary(const Report& report);

// Whether training may run other graphs than those that the replay plays, of which another verdict could hold in this setup.
// Layers that are left out make no difference with find_unused_parameters, if all layers have been seen and no region is
// reentrant: DDP's search marks what an iteration does not use, and what it uses fires once.
bool varies_unseen(const Report& report, const Setup& setup);

// Whether all regions have the kind that the capture gives them, and nothing else is changed: what was seen in a real run
// holds.
bool is_as_recorded(const Report& report, const Setup& setup);

}  // namespace gradscan
