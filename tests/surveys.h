// Surveys without torch, for the tests of what is written of several files.
#pragma once

#include "gradscan/survey.h"

namespace gradscan::tests {

// One file that is clean, one with a conflict, one that cannot be scanned.
Survey survey_of_three();

// A conflict that DDP raises, a silent failure, one that is accepted, a clean file and one that cannot be scanned.
Survey survey_of_five();

}  // namespace gradscan::tests
