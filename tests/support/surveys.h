// Surveys without torch, for the tests of what is written of several files.
#pragma once

#include "gradscan/survey.h"

namespace gradscan::tests {

// All of its regions are called in line 88 of /home/ci/checkout/models/resnet.py.
Report with_places(Report report);

// One file that is clean, one with a conflict, one that cannot be scanned.
Survey survey_of_three();

// A conflict that DDP raises, a silent failure, one that is accepted, a clean file and one that cannot be scanned.
Survey survey_of_five();

}  // namespace gradscan::tests
