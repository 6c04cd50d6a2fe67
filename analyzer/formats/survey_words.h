// Words for surveys, shared by all writers.
#pragma once

#include <string>

#include "gradscan/survey.h"

namespace gradscan {

// "156 parameters are marked ready twice in iteration 0", the error that stopped the scan, or that nothing is wrong. Without
// path.
std::string in_words(const Scanned& file);

// "7 files: 2 errors, 1 silent, 3 clean, 1 could not be scanned"
std::string summary(const Survey& survey);

}  // namespace gradscan
