// Text that is equal for what builds the same graph and trains it in the same way, so that one replay serves for both. It holds
// every member that a description has (setup_fields.h): none can be forgotten.
#pragma once

#include <string>

#include "gradscan/edits.h"
#include "gradscan/setup.h"

namespace gradscan {

std::string replay_key(const Setup& setup);
std::string replay_key(const Edits& edits);

}  // namespace gradscan
