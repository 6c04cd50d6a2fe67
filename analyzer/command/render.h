// From what a run ends with to the document in a format.
#pragma once

#include <string>
#include <variant>

#include "analyzer/command/formats.h"
#include "gradscan/compare.h"
#include "gradscan/plan.h"
#include "gradscan/survey.h"
#include "gradscan/writers.h"

namespace gradscan {

using Result = std::variant<Survey, Plan, Comparison>;

struct RenderOptions {
  TextOptions text;
  PictureOptions picture;
  PlaceOptions places;
};

// A picture takes a survey of one report; a plan or comparison, text or JSON.
std::string render(const Result& result, Format format, const RenderOptions& options);

}  // namespace gradscan
