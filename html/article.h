// The part of a page about one file, from the verdict to the notes.
#pragma once

#include <string>

#include "gradscan/survey.h"
#include "gradscan/writers.h"

namespace gradscan::page {

// `file` is its number in the page, 0 if it is the only one (html/anchors.h). Throws like to_svg.
std::string article(const Scanned& scanned, int file, const PictureOptions& picture);

}  // namespace gradscan::page
