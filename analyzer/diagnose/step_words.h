// What an iteration does, in words, where it is more than one forward and one backward.
#pragma once

#include <string>
#include <vector>

#include "gradscan/setup.h"

namespace gradscan {

// "2 forward calls enter one loss", one phrase for each member that is not as usual.
std::vector<std::string> in_words(const TrainingStep& step);

// "in every iteration", "in iterations 1 and 3"
std::string iterations_in_words(const std::vector<int>& iterations);

}  // namespace gradscan
