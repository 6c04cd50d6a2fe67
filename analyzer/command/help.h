// What --help prints: the options by group, in lines of at most 80 columns.
#pragma once

#include <string>

#include "analyzer/command/option.h"

namespace gradscan {

std::string help(const OptionTable& table);

}  // namespace gradscan
