// Non-reentrant checkpoint regions that torch.jit.trace has run through without noticing them.
//
// The tracer stores with every operation the Python stack it was called from. An operation below a frame of
// torch.utils.checkpoint.checkpoint belongs to a region, and the rest of the stack, from that frame outwards, says which call
// it was. So a region is a run of nodes of one graph that have the same such stack. (The tracer cannot run through a reentrant
// region.) A call of a module has no stack in the file: it has that of the operations in the module, without the part inside.
//
// Where `checkpoint` stands in a loop, the stack is the same for every turn. Each call of a module is then a region of its own;
// and a run of a function ends where a line of it calls another element of a list of modules: "blocks.1" after "blocks.0".
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analyzer/capture/load.h"

namespace gradscan {

// Inserts operators that report such regions to the Recorder:
//     gradscan::begin_source_region(name, source, file, values used inside...) -> the same values
//     gradscan::end_source_region(name, values used behind...) -> the same values
// A region that runs a module has the module's path as its name, any other the path of the calling module and the name of the
// function: "layer1.0.inner". Returns the names.
std::set<std::string> mark_source_regions(const std::vector<NamedModule>& modules);

}  // namespace gradscan
