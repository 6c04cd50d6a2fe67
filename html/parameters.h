// The table of all parameters in a report: a row for each, with its own id.
//
// It works without a script. The page's script, which finds the table by its class, makes it sortable and searchable and
// removes rows that are out of sight.
#pragma once

#include <string>

#include "gradscan/report.h"
#include "html/anchors.h"
#include "html/views.h"

namespace gradscan::page {

// Shows the outcomes in `asked`.
std::string parameter_table(const Report& report, const View& asked, const Anchors& anchors);

}  // namespace gradscan::page
