// What the training script does with forward's outputs: which of them the loss is computed from, which DDP cannot find.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Marks the outputs at `paths` ("output[0]"; the path of a tuple, list or dict stands for all in it) as those that the loss is
// computed from; without paths, every one that requires grad. Throws Error (usage) for a path that no such output has.
void choose_loss(Capture& capture, const std::vector<std::string>& paths);

// Likewise, for what gradscan.json says in the model file. Throws Error (not_a_model).
void choose_stated_loss(Capture& capture, const std::vector<std::string>& paths, const std::string& file);

// Marks the outputs at `paths`, likewise, as those that DDP does not find. Throws Error (usage) for a path that no output has.
void hide_outputs(Capture& capture, const std::vector<std::string>& paths);

}  // namespace gradscan
