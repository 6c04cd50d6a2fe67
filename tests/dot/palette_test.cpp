#include "dot/write/palette.h"

#include <cmath>

#include "dot/write/style.h"
#include "tests/support/catch.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

namespace {

// As the Web Content Accessibility Guidelines define them.
double luminance(std::string_view hex) {
  const double weights[] = {0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    const double part = std::stoi(std::string(hex.substr(1 + 2 * i, 2)), nullptr, 16) / 255.0;
    sum += weights[i] * (part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4));
  }
  return sum;
}

double contrast(std::string_view a, std::string_view b) {
  const double brighter = std::max(luminance(a), luminance(b)), darker = std::min(luminance(a), luminance(b));
  return (brighter + 0.05) / (darker + 0.05);
}

// What stands on `ground` must be at least this much brighter or darker, in both schemes.
void check_contrast(Tint tint, Tint ground, double least) {
  INFO(colour(tint).name << " on " << colour(ground).name);
  CHECK(contrast(colour(tint).light, colour(ground).light) >= least);
  CHECK(contrast(colour(tint).dark, colour(ground).dark) >= least);
}

constexpr double of_text = 4.5, of_lines = 3;

// The tint below a box: that of the frame that holds it.
Tint ground_of(const Scene& scene, const std::string& frame) {
  for (const RegionFrame& one : scene.frames)
    if (one.id == frame) return style_of(one).fill;
  return Tint::paper;
}

}  // namespace

TEST_CASE("contrast is that of the guidelines") {
  CHECK(contrast("#000000", "#ffffff") == Approx(21));
  CHECK(contrast("#777777", "#ffffff") == Approx(4.48).margin(0.01));
}

TEST_CASE("the palette is in the order of its tints") {
  for (std::size_t i = 0; i < palette().size(); ++i) CHECK(static_cast<std::size_t>(palette()[i].tint) == i);
}

TEST_CASE("words around the graph are legible in both schemes") {
  for (const Tint tint : {Tint::ink, Tint::faint, Tint::red, Tint::amber, Tint::green})
    check_contrast(tint, Tint::paper, of_text);
}

TEST_CASE("everything in every picture is legible in both schemes") {
  for (const auto& [name, report] : all_reports()) {
    INFO(name);
    const Scene scene = make_scene(report, {.whole = name == "used_twice"});
    for (const Box& box : scene.boxes) {
      const BoxStyle shown = style_of(box);
      const Tint ground = ground_of(scene, box.frame);
      check_contrast(shown.text, shown.width == 0 ? ground : shown.fill, of_text);
      if (shown.width > 0) check_contrast(shown.line, ground, of_lines);
    }
    for (const Link& link : scene.links) {
      if (!style_of(link).seen) continue;
      for (const Tint ground : {Tint::paper, Tint::red_wash, Tint::blue_wash}) {
        check_contrast(style_of(link).line, ground, of_lines);
        check_contrast(style_of(link).text, ground, of_text);
      }
    }
  }
}

TEST_CASE("links of different meaning differ without colour, or in words") {
  const auto same_line = [](const LinkStyle& a, const LinkStyle& b) { return a.stroke == b.stroke && a.head == b.head; };
  const Link fires{.meaning = Link::firing, .conflict = true}, never{.meaning = Link::silence};
  const Link marks{.meaning = Link::mark}, stops{.meaning = Link::stop}, same{.meaning = Link::same};
  CHECK_FALSE(same_line(style_of(fires), style_of(never)));
  CHECK_FALSE(same_line(style_of(fires), style_of(marks)));
  CHECK_FALSE(same_line(style_of(marks), style_of(stops)));
  CHECK_FALSE(same_line(style_of(never), style_of(same)));
}
