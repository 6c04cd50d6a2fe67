// What is unusual about an iteration, in words: anything but one forward and one backward.
#pragma once

#include <string>
#include <vector>

#include "gradscan/setup.h"

namespace gradscan {

// "one loss combines 2 forward calls": one phrase for each member that differs from its default.
std::vector<std::string> in_words(const TrainingStep& step);

// "in every iteration", "in iterations 1 and 3": some of those behind a verdict.
std::string iterations_in_words(const std::vector<int>& iterations, const Verdict& verdict);

// "four iterations": those behind a verdict.
std::string iterations_in_words(const Verdict& verdict);

}  // namespace gradscan
