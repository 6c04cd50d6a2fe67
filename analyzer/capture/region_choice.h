// Which modules are checkpoint regions, and of what kind.
//
// Modules of torch's class CheckpointWrapper are, unless the file has markers, and those that a pattern names. A pattern that
// matches a region that the file itself names changes its kind and makes no region; any other makes one of each outermost
// module that it matches. The name of a preset (presets.h) makes those of the modules that the library checkpoints, of a file
// that names no regions itself. Where every module is asked for, all others are regions too, of kind off: calls that could be
// checkpointed.
#pragma once

#include <string>
#include <vector>

#include "analyzer/capture/instrument.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/recorder.h"
#include "gradscan/capture_file.h"

namespace gradscan {

// `named_by_file`: the names of regions that are not modules of such a class. Throws Error (usage), see no_match, for a pattern
// that matches neither a module nor a region, and for a preset that cannot be had.
Recorder::Modules choose_regions(const Model& model, const NamedRegions& named_by_file,
                                 const std::vector<CheckpointPattern>& patterns, bool every_module);

}  // namespace gradscan
