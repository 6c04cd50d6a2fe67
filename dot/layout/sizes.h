// The size of a Scene's boxes and text, in points. Graphviz lays out boxes of these sizes, and the SVG writer fills them.
#pragma once

#include <vector>

#include "dot/scene/scene.h"

namespace gradscan {

enum class Setting { heading, body, beside_link };

struct Size {
  double width = 0, height = 0;
};

inline constexpr double box_margin = 10;  // between an outline and its content, at the sides; half of it above and below
inline constexpr double row_gap = 3;      // between the rows of a list

// The font size, and the height of a line.
double points(Setting setting, Line::Style style);
double line_height(Setting setting, Line::Style style);

Size size_of(const std::vector<Line>& lines, Setting setting);
Size size_of(const Row& row);
Size size_of(const Box& box);

}  // namespace gradscan
