// Non-reentrant checkpoint regions that torch.jit.trace ran through without noticing them.
//
// The tracer stores the Python stack of the caller with every operation. An operation below a frame of
// torch.utils.checkpoint.checkpoint belongs to a region, and the rest of the stack, from that frame outwards, identifies the
// call. So a region is a run of nodes of one graph with the same such stack. (The tracer cannot run through a reentrant
// region.) A module call has no stack in the file: it gets that of the operations in the module, without the part inside.
//
// If `checkpoint` is in a loop, the stack is the same in every iteration of the loop. Each module call is then a separate
// region, and a run of a function ends where one of its lines calls another element of a list of modules: "blocks.1" after
// "blocks.0".
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analyzer/capture/load.h"

namespace gradscan {

// Inserts operators that report such regions to the Recorder:
//     gradscan::begin_source_region(name, source, file, values used inside...) -> the same values
//     gradscan::end_source_region(name, values used afterwards...) -> the same values
// A region that runs a module is named after the module's path; any other, after the path of the calling module and the
// function: "layer1.0.inner". Returns the names.
std::set<std::string> mark_source_regions(const std::vector<NamedModule>& modules);

}  // namespace gradscan
