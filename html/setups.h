// The part of a page about setups: a table of all setups, and a panel for each with its verdict, the affected parameters, why,
// DDP's message and the picture.
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"
#include "gradscan/writers.h"
#include "html/anchors.h"
#include "html/views.h"

namespace gradscan::page {

std::string setup_table(const Report& report, const std::vector<View>& views);

// Throws like to_svg.
std::string setup_panels(const Report& report, const std::vector<View>& views, const Anchors& anchors,
                         const PictureOptions& picture);

}  // namespace gradscan::page
