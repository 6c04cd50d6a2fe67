#include "dot/layout/sizes.h"

#include <algorithm>
#include <cmath>

#include "dot/layout/labels.h"

namespace gradscan {
namespace {

struct FontSizes {
  double strong, plain, small;
};
constexpr FontSizes heading{18, 14, 13}, body{14, 13, 12}, beside_link{12, 12, 12};

bool is_bare(const Box& box) {
  return box.shape == Box::output || box.shape == Box::pass || box.shape == Box::marking;
}

}  // namespace

double points(Setting setting, Line::Style style) {
  const FontSizes& sizes = setting == Setting::heading ? heading : setting == Setting::body ? body : beside_link;
  return style == Line::strong ? sizes.strong : style == Line::plain ? sizes.plain : sizes.small;
}

double line_height(Setting setting, Line::Style style) {
  return std::ceil(1.28 * points(setting, style));
}

Size size_of(const std::vector<Line>& lines, Setting setting) {
  Size all;
  for (const Line& line : lines) {
    all.width = std::max(all.width, text_width(line.text, points(setting, line.style), line.style == Line::strong));
    all.height += line_height(setting, line.style);
  }
  return {std::ceil(all.width), all.height};
}

Size size_of(const Row& row) {
  const Size text = size_of(row.lines, Setting::body);
  return row.named || row.focus ? Size{text.width + 2 * box_margin, text.height + box_margin} : Size{text.width, text.height};
}

Size size_of(const Box& box) {
  Size all = size_of(box.lines, Setting::body);
  for (const Row& row : box.rows) {
    const Size one = size_of(row);
    all = {std::max(all.width, one.width), all.height + one.height + row_gap};
  }
  if (is_bare(box)) return {all.width + 4, all.height + 2};
  const double inner_outline = box.folds > 1 ? 6 : 0;
  return {all.width + 2 * box_margin, all.height + box_margin + inner_outline};
}

}  // namespace gradscan
