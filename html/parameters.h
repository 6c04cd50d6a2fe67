// The table of all parameters of a report: a row for each, with an id of its own.
//
// Nothing depends on a script. The page's script makes it sortable and searchable, and takes out rows that are not in sight,
// for which it finds the table by its class.
#pragma once

#include <string>

#include "gradscan/report.h"
#include "html/anchors.h"
#include "html/views.h"

namespace gradscan::page {

// Outcomes are those of `asked`.
std::string parameter_table(const Report& report, const View& asked, const Anchors& anchors);

}  // namespace gradscan::page
