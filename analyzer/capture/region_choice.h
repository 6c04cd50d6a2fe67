// Which modules are checkpoint regions, and of what kind.
//
// Modules of torch's class CheckpointWrapper are, unless the file has markers, and so are modules that a pattern names. A
// pattern that matches a region named by the file itself changes the kind of that region and makes no new one; any other
// pattern makes each outermost module that it matches a region. The name of a preset (presets.h) stands for the modules that
// the library checkpoints; it needs a file that names no regions itself. If every module is requested, all others are regions
// too, of kind off: calls that could be checkpointed.
#pragma once

#include <string>
#include <vector>

#include "analyzer/capture/instrument.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/recorder.h"
#include "gradscan/capture_file.h"

namespace gradscan {

// `named_by_file`: the names of regions that are not CheckpointWrapper modules. Throws Error (usage), see no_match(), for a
// pattern that matches neither a module nor a region, and for a preset that cannot be applied.
Recorder::Modules choose_regions(const Model& model, const NamedRegions& named_by_file,
                                 const std::vector<CheckpointPattern>& patterns, bool every_module);

}  // namespace gradscan
