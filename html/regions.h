// The table of checkpoint regions in a report: a row for each, with the source line that calls checkpoint.
#pragma once

#include <string>

#include "gradscan/report.h"
#include "html/anchors.h"

namespace gradscan::page {

// Empty if there are none.
std::string region_table(const Report& report, const Anchors& anchors);

}  // namespace gradscan::page
