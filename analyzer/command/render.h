// From what a run ends with to the document in a format.
#pragma once

#include <string>

#include "analyzer/command/formats.h"
#include "analyzer/run/scan_files.h"
#include "gradscan/writers.h"

namespace gradscan {

struct RenderOptions {
  TextOptions text;
  PictureOptions picture;
  SourcePathOptions places;
};

// A picture takes a survey of one report; a plan or comparison, text or JSON.
std::string render(const Result& result, Format format, const RenderOptions& options);

}  // namespace gradscan
