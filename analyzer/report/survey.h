// How a file of a survey stands, which is what surveys are sorted and counted by.
#pragma once

#include "gradscan/survey.h"

namespace gradscan {

// The worst first.
enum class Standing { failed, error, silent, clean };

Standing standing(const Scanned& file);

// The first of the findings that are no notes and that no baseline accepts; nullptr if there is none.
const Finding* worst_finding(const Report& report);

}  // namespace gradscan
