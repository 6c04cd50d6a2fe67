// The parameters as listed in gradscan.json: in the original module's order, perhaps by another of their names.
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

// The listed order: positions in `parameters`. Those that are not listed, which must not require grad, come last. Gives each
// parameter its listed names. Throws std::invalid_argument, saying what is wrong, if they do not match.
std::vector<std::size_t> stated_order(const std::vector<StatedParameter>& stated, std::vector<Parameter>& parameters);

}  // namespace gradscan
