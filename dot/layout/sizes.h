// How much room the text of a Scene takes, in points. Graphviz lays boxes of these sizes out, and the SVG writer fills them.
#pragma once

#include <vector>

#include "dot/scene/scene.h"

namespace gradscan {

enum class Setting { heading, body, beside_link };

struct Size {
  double width = 0, height = 0;
};

inline constexpr double box_margin = 10;  // between an outline and what is in it, at the sides; the half of it above and below
inline constexpr double row_gap = 3;      // between the rows of a list

// Size of the font, and what a line takes of the height.
double points(Setting setting, Line::Style style);
double line_height(Setting setting, Line::Style style);

Size size_of(const std::vector<Line>& lines, Setting setting);
Size size_of(const Row& row);
Size size_of(const Box& box);

}  // namespace gradscan
