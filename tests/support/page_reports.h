// Surveys for pages, made of the reports written by hand (tests/support/picture_reports.h).
#pragma once

#include <string>

#include "gradscan/report.h"
#include "gradscan/survey.h"

namespace gradscan::tests {

// resnet50() with its nine verdicts, every setup's own report, prices, and a change that does not help.
Report resnet50_in_every_setup();

// The same with nothing but verdicts of the setups that are not asked.
Report resnet50_with_verdicts();

// Half of `number` parameters are in conflict.
Report large(int number);

Survey only(const Report& report);

// A clean file, one that could not be scanned, one with a silent failure and one with an error, in this order.
Survey several_files();

}  // namespace gradscan::tests
