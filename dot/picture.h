// The picture of a Report, for pages that show several.
#pragma once

#include <chrono>
#include <string>

#include "gradscan/writers.h"

namespace gradscan {

// As to_svg() in gradscan/writers.h. `id` is the root's; all other ids begin with it and a dash, so two pictures with different
// ids may stand in one page. There is no XML declaration: the text may be put into HTML as it is.
std::string to_svg(const Report& report, const PictureOptions& options, const std::string& id,
                   std::chrono::milliseconds time_limit = std::chrono::seconds(20));

}  // namespace gradscan
