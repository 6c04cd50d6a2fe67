// What an error message of DistributedDataParallel says.
#pragma once

#include <string_view>
#include <vector>

#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

Outcome outcome_of(std::string_view message);

// The DDP indices of the parameters that the message names, in its order.
std::vector<int> parameters_named_in(std::string_view message);

}  // namespace gradscan
