// Rewrites the graphs of a loaded TorchScript model so that it reports its module calls and checkpoint regions to the Recorder
// while it runs. Without a Recorder, an instrumented model computes the same as before.
//
// Two operators are inserted around each module call. Many module objects may share a class, and so a graph: the operators get
// the called object itself. Markers (markers.h) become operators that begin and end a region; in a file without markers, so do
// the calls of checkpoint() that appear in its source ranges (source_regions.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analyzer/capture/load.h"

namespace gradscan {

// The regions that a file itself names.
struct NamedRegions {
  std::set<std::string> names;
  bool by_markers = false;  // otherwise by source ranges
};

// Call it once per model, before the model first runs. Throws MarkerError for malformed markers.
NamedRegions instrument(const std::vector<NamedModule>& modules);

}  // namespace gradscan
