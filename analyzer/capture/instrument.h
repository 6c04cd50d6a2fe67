// Rewrites the graphs of a loaded TorchScript model so that it reports its module calls and checkpoint regions to the
// Recorder while it runs. Without a Recorder an instrumented model computes what it did before.
//
// Around each call of a module two operators are inserted. One class, and so one graph, may be shared by many module objects:
// the operators get the called object itself. Markers (markers.h) become operators that begin and end a region; in a file that
// has none, so do the calls of checkpoint() that its source ranges tell of (source_regions.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analyzer/capture/load.h"

namespace gradscan {

// The regions that a file itself names.
struct NamedRegions {
  std::set<std::string> names;
  bool by_markers = false;  // else by source ranges
};

// To be called once for a model, before it first runs. Throws MarkerError for malformed markers.
NamedRegions instrument(const std::vector<NamedModule>& modules);

}  // namespace gradscan
