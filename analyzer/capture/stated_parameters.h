// The parameters as gradscan.json states them: in the original module's order, perhaps by another of their names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

struct StatedParameter {
  std::string name;
  std::string ddp_name{};  // as Parameter::ddp_name
};

// The stated order: positions in `parameters`. Those that are not stated, which must not require grad, come last. Gives each
// parameter its stated names. Throws std::invalid_argument, with what is wrong, if they do not fit.
std::vector<std::size_t> stated_order(const std::vector<StatedParameter>& stated, std::vector<Parameter>& parameters);

}  // namespace gradscan
