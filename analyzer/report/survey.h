// How bad a file of a survey is, which is what surveys are sorted and counted by.
#pragma once

#include "gradscan/survey.h"

namespace gradscan {

// Of its worst finding; failed if there is no report, clean if there is none but notes.
Severity severity(const Scanned& file);

// The first of the findings that are no notes and that no baseline accepts; nullptr if there is none.
const Finding* worst_finding(const Report& report);

}  // namespace gradscan
