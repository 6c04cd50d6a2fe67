// What a real backward of the model showed, against what its graph predicts.
//
// Whoever records a model can run it once more as it is and note which gradient hooks fire, and in which backward pass. If the
// graph predicts anything else, gradscan has not seen all that the model does, such as a backward that a hook starts, and no
// verdict on it can be relied on. Compared are, for each parameter, the firings, and how many of them are in inner backwards:
// which inner backward it is has no bearing on DDP. A file may have several graphs, and the run may have taken any of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Capture::disagreements, and those of Capture::observed with the capture's own graph; none if any of its graphs agrees, or if
// the run can have been of another graph.
std::vector<Disagreement> disagreements(const Capture& capture);

// Whether graphs vary, none of those in the file agrees with Capture::observed, and that has no firing that none of them has; or
// whether it does not agree where the recomputation of a region differs.
bool ran_another_graph(const Capture& capture);

// Capture::backward_error, or that of Capture::observed unless the graph predicts that backward fails.
std::string unexplained_error(const Capture& capture);

// What to say then.
inline constexpr std::string_view another_graph = "a real backward ran none of the recorded graphs";

// Before a change to the graph, of which Capture::observed says nothing: keeps what it says about the graph before.
void settle_observation(Capture& capture);

}  // namespace gradscan
