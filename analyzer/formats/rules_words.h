// The rules in words, for --list-findings.
#pragma once

#include <string>

namespace gradscan {

// All rules, wrapped to `width` columns.
std::string findings_in_words(int width = 80);

}  // namespace gradscan
