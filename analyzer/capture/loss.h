// Which of forward's outputs the loss is computed from.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

// Marks the outputs at `paths` ("output[0]"; the path of a tuple, list or dict stands for all in it) as those that the loss is
// computed from; without paths, every one that requires grad. Throws Error (usage) for a path that no such output has.
void choose_loss(Capture& capture, const std::vector<std::string>& paths);

}  // namespace gradscan
