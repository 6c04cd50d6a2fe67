// How the training script uses forward's outputs: which of them the loss is computed from, and which DDP cannot find. A model
// may have several graphs, in which not every output need exist.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Marks the outputs at `paths` ("output[0]"; the path of a tuple, list or dict stands for all its members) as those that the
// loss is computed from; without paths, every output that requires grad. Throws Error (usage) for a path without such an
// output in any of the graphs.
void choose_loss(const std::vector<Capture*>& graphs, const std::vector<std::string>& paths);

// Likewise, for what the model file's gradscan.json says. Throws Error (not_a_model).
void choose_stated_loss(Capture& capture, const std::vector<std::string>& paths, const std::string& file);

// Likewise, marks the outputs at `paths` as those that DDP does not find. Throws Error (usage) for a path without an output.
void hide_outputs(const std::vector<Capture*>& graphs, const std::vector<std::string>& paths);

}  // namespace gradscan
