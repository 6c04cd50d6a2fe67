// Edits: changes of the model, or of what its script does before DDP is made, as changes of its Capture.
//
//     Capture frozen = edited(capture, {.freeze = {"head.aux.*"}});
//     analyse(frozen, setup);
//
// Each is what a remedy does that is no argument of DistributedDataParallel, so that it can be replayed like one.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Which module calls are checkpoint regions: a glob (* ? [...]; '*' also crosses dots). If it matches names of regions that the
// file itself names, it gives these its kind. Otherwise the calls of the modules whose path it matches are regions, without
// modules inside of such a module: 'blocks.*' makes a region of blocks.0 and none of blocks.0.fc1.
struct CheckpointPattern {
  std::string glob{};
  Kind kind = Kind::reentrant;

  bool operator==(const CheckpointPattern&) const = default;
};

// Globs are as a CheckpointPattern's. One that matches nothing is an error.
struct Edits {
  std::vector<CheckpointPattern> checkpoint{};  // kinds of regions that the capture has, by name; later ones win
  std::vector<std::string> freeze{};        // parameters that get requires_grad_(False) before DDP is made; names or aliases
  std::vector<std::string> ignore{};        // parameters that DDP is told to ignore: they are trained, and never averaged
  std::vector<std::string> require_grad{};  // regions whose floating-point tensor arguments are made to require grad

  bool operator==(const Edits&) const = default;
  bool empty() const { return checkpoint.empty() && freeze.empty() && ignore.empty() && require_grad.empty(); }
};

// The capture of the changed model, as far as the graph of this one tells; its notes say what was changed but for kinds of
// regions, which the regions themselves tell. Throws Error (usage).
Capture edited(Capture capture, const Edits& edits);

}  // namespace gradscan
