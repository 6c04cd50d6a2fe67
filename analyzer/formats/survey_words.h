// Words for surveys, as all their writers use them.
#pragma once

#include <string>

#include "gradscan/survey.h"

namespace gradscan {

// "156 parameters are marked ready twice in iteration 0", what stopped the scan, or that nothing is wrong; without the path.
std::string in_words(const Scanned& file);

// "7 files: 2 errors, 1 silent, 3 clean, 1 could not be scanned"
std::string summary(const Survey& survey);

}  // namespace gradscan
