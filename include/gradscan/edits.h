// Edits: changes of the model, or of what its script does before DDP is made, as changes of its Capture.
//
//     Capture frozen = edited(capture, {.freeze = {"head.aux.*"}});
//     analyse(frozen, setup);
//
// Each is a remedy that is not an argument of DistributedDataParallel, expressed so that it can be replayed like one.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Which module calls are checkpoint regions: a glob (* ? [...]; '*' also crosses dots). If it matches regions that the file
// itself names, they get its kind. Otherwise, the calls of modules whose path it matches are regions, except modules inside
// such a module: 'blocks.*' makes blocks.0 a region, but not blocks.0.fc1.
struct CheckpointPattern {
  std::string glob{};
  Kind kind = Kind::reentrant;

  bool operator==(const CheckpointPattern&) const = default;
};

// Globs work as in CheckpointPattern. A glob that matches nothing is an error.
struct Edits {
  std::vector<CheckpointPattern> checkpoint{};  // kinds for existing regions of the capture, by name; later ones win
  std::vector<std::string> freeze{};  // parameters that get requires_grad_(False) before DDP is constructed; names or aliases
  std::vector<std::string> ignore{};  // parameters that DDP has to ignore: they are trained, but never averaged
  std::vector<std::string> require_grad{};  // regions whose floating-point tensor arguments are made to require grad

  bool operator==(const Edits&) const = default;
  bool empty() const { return checkpoint.empty() && freeze.empty() && ignore.empty() && require_grad.empty(); }
};

// The capture of the changed model, as far as this graph shows; its notes say what was changed, except for kinds of regions,
// which the regions themselves show. Throws Error (usage).
Capture edited(Capture capture, const Edits& edits);

}  // namespace gradscan
