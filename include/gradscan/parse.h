// Parses values of command-line options.
//
//     parse_checkpoint_pattern("layer4.*=non-reentrant");      // {"layer4.*", Kind::non_reentrant}
//     parse_input("x=float32[2,3,224,224]");
#pragma once

#include <string>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

// "layer4.*=non-reentrant", "layer?.*" (reentrant). Throws Error (usage).
CheckpointPattern parse_checkpoint_pattern(const std::string& text);

// "x=float32[2,3,224,224]", "input_ids=int64[2,128]", "mask=bool[]". Throws Error (usage).
Input parse_input(const std::string& text);

}  // namespace gradscan
