// The styles of a Scene's parts. Things that must be distinguishable differ in line style, shape or words, not only in colour.
#pragma once

#include "dot/scene/scene.h"
#include "dot/write/palette.h"

namespace gradscan {

enum class Stroke { solid, dashed, dotted };

struct BoxStyle {
  Tint fill = Tint::calm, line = Tint::line, text = Tint::ink;
  Stroke stroke = Stroke::solid;
  double width = 1;      // of the outline; 0: neither outline nor fill
  bool rounded = false;  // corners
  bool doubled = false;  // outline
  bool folded = false;   // upper right corner, like a note
};

enum class Head { arrow, bar, ring, bare };

struct LinkStyle {
  Tint line = Tint::line, text = Tint::faint;
  Stroke stroke = Stroke::solid;
  double width = 1.5;
  Head head = Head::arrow;
  bool seen = true;
};

BoxStyle style_of(const Box& box);
BoxStyle style_of(const RegionFrame& frame);
BoxStyle style_of(const Row& row);
LinkStyle style_of(const Link& link);

// What each style means, with a row for every style in the scene.
struct LegendRow {
  std::optional<BoxStyle> box{};
  std::optional<LinkStyle> link{};
  std::string looks_like, meaning;  // "solid red line", "backward reaches a parameter: its hook fires"
};
std::vector<LegendRow> legend(const Scene& scene);

}  // namespace gradscan
