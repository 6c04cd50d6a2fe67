// The manual page, gradscan(1), as roff with the macros of man(7).
#pragma once

#include <string>

#include "analyzer/command/option.h"

namespace gradscan {

std::string man_page(const OptionTable& table);

}  // namespace gradscan
