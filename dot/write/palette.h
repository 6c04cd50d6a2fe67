// The colours of the picture. Each has a meaning and two values, for light and dark backgrounds.
//
// An SVG contains them twice: as attributes with the light values, for renderers without style sheets, and as classes that
// follow the reader's colour scheme.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gradscan {

enum class Tint {
  paper,       // behind everything
  ink,         // text
  faint,       // secondary text
  line,        // outlines and links without a conflict
  calm,        // inside boxes without a conflict
  red,         // a conflict: outlines, links and their text
  red_fill,    // ... inside boxes
  red_wash,    // ... inside frames
  amber,       // DDP's search: outlines, links and their text
  amber_fill,  // ... inside boxes
  blue,        // non-reentrant regions: outlines
  blue_fill,   // ... inside boxes
  blue_wash,   // ... inside frames
  green,       // no conflict
};

struct Colour {
  Tint tint;
  std::string_view name;  // as in the classes "fill-red" and "line-red"
  std::string_view light, dark;
};

// All of them, in the order of Tint.
std::span<const Colour> palette();

const Colour& colour(Tint tint);

// The style sheet of an SVG. The values are custom properties, so that a page around the picture can override them.
std::string style_sheet();

}  // namespace gradscan
