// Which parameters an error message of DistributedDataParallel names. (analyzer/data/rules.h says which error it is.)
#pragma once

#include <string_view>
#include <vector>

namespace gradscan {

// The DDP indices of the parameters in the message, in the same order.
std::vector<int> parameters_named_in(std::string_view message);

}  // namespace gradscan
