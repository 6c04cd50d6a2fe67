// Rewrites the graphs of a loaded TorchScript model so that it reports its module calls and checkpoint regions to the
// Recorder while it runs. Without a Recorder an instrumented model computes what it did before.
//
// Around each call of a module two operators are inserted. One class, and so one graph, may be shared by many module objects:
// the operators get the called object itself. Markers (markers.h) and runs of operations that were traced inside of
// torch/utils/checkpoint.py become operators that begin and end a region.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <set>
#include <string>

namespace gradscan {

struct Instrumented {
  std::set<std::string> region_names;  // of the regions that the file itself names
};

// To be called once for a model, before it first runs. Throws Error (not_a_model) for malformed markers.
Instrumented instrument(const torch::jit::Module& model);

}  // namespace gradscan
