// The colours of the picture: each has a meaning, and a value for a light and for a dark background.
//
// An SVG names them twice: as attributes in their light values, for renderers that know no style sheets, and as classes that
// follow the reader's colour scheme.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gradscan {

enum class Tint {
  paper,       // behind everything
  ink,         // text
  faint,       // text of less weight
  line,        // outlines and links without a conflict
  calm,        // inside of boxes without a conflict
  red,         // a conflict: outlines, links and their text
  red_fill,    // ... inside of boxes
  red_wash,    // ... inside of frames
  amber,       // DDP's search: outlines, links and their text
  amber_fill,  // ... inside of boxes
  blue,        // non-reentrant regions: outlines
  blue_fill,   // ... inside of boxes
  blue_wash,   // ... inside of frames
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

// The style sheet of an SVG. Custom properties hold the values, so that a page around the picture may set its own.
std::string style_sheet();

}  // namespace gradscan
