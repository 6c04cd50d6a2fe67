// The picture of a Report, for pages that show several.
#pragma once

#include <chrono>
#include <string>

#include "gradscan/writers.h"

namespace gradscan {

// Like to_svg() in gradscan/writers.h. `id` is that of the root element; all other ids start with it and a dash, so a page can
// hold two pictures with different ids. There is no XML declaration, so the text can go straight into HTML.
std::string to_svg(const Report& report, const PictureOptions& options, const std::string& id,
                   std::chrono::milliseconds time_limit = std::chrono::seconds(20));

}  // namespace gradscan
