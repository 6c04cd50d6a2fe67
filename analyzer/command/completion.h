// Completion: scripts with which a shell completes options of gradscan, words of choices, and files by their extensions.
//
//     source <(gradscan --completion bash)
#pragma once

#include <string>

#include "analyzer/command/option.h"
#include "analyzer/command/options.h"

namespace gradscan {

std::string completion(Shell shell, const OptionTable& table);

}  // namespace gradscan
