// The severity of a file of a survey, by which surveys are sorted and counted.
#pragma once

#include "gradscan/survey.h"

namespace gradscan {

// The severity of its worst finding; failed if there is no report, clean if there are only notes.
Severity severity(const Scanned& file);

// The worst finding that is not a note and that no baseline accepts; nullptr if there is none.
const Finding* worst_finding(const Report& report);

}  // namespace gradscan
