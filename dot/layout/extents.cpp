#include "dot/layout/extents.h"

#include <algorithm>
#include <cmath>

#include "dot/layout/labels.h"

namespace gradscan {
namespace {

struct Sizes {
  double strong, plain, small;
};
constexpr Sizes heading{18, 14, 13}, body{14, 13, 12}, beside_link{12, 12, 12};

bool is_bare(const Box& box) {
  return box.shape == Box::output || box.shape == Box::pass || box.shape == Box::marking;
}

}  // namespace

double points(Setting setting, Line::Style style) {
  const Sizes& sizes = setting == Setting::heading ? heading : setting == Setting::body ? body : beside_link;
  return style == Line::strong ? sizes.strong : style == Line::plain ? sizes.plain : sizes.small;
}

double line_height(Setting setting, Line::Style style) {
  return std::ceil(1.28 * points(setting, style));
}

Extent extent(const std::vector<Line>& lines, Setting setting) {
  Extent all;
  for (const Line& line : lines) {
    all.width = std::max(all.width, text_width(line.text, points(setting, line.style), line.style == Line::strong));
    all.height += line_height(setting, line.style);
  }
  return {std::ceil(all.width), all.height};
}

Extent extent(const Row& row) {
  const Extent text = extent(row.lines, Setting::body);
  return row.named || row.focus ? Extent{text.width + 2 * box_margin, text.height + box_margin}
                                : Extent{text.width, text.height};
}

Extent extent(const Box& box) {
  Extent all = extent(box.lines, Setting::body);
  for (const Row& row : box.rows) {
    const Extent one = extent(row);
    all = {std::max(all.width, one.width), all.height + one.height + row_gap};
  }
  if (is_bare(box)) return {all.width + 4, all.height + 2};
  const double inner_outline = box.folds > 1 ? 6 : 0;
  return {all.width + 2 * box_margin, all.height + box_margin + inner_outline};
}

}  // namespace gradscan
