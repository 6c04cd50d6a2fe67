#include "dot/write/palette.h"

#include <fmt/format.h>

#include <array>

namespace gradscan {
namespace {

constexpr std::array colours{
    Colour{Tint::paper, "paper", "#ffffff", "#0d1117"},         Colour{Tint::ink, "ink", "#1f2328", "#e6edf3"},
    Colour{Tint::faint, "faint", "#57606a", "#9ea7b3"},         Colour{Tint::line, "line", "#6e7781", "#848d97"},
    Colour{Tint::calm, "calm", "#f6f8fa", "#161b22"},           Colour{Tint::red, "red", "#b92525", "#ff8f88"},
    Colour{Tint::red_fill, "red-fill", "#fdecea", "#3b1719"},   Colour{Tint::red_wash, "red-wash", "#fffafa", "#1a1114"},
    Colour{Tint::amber, "amber", "#855900", "#e3b341"},         Colour{Tint::amber_fill, "amber-fill", "#fff4d1", "#302408"},
    Colour{Tint::blue, "blue", "#0b5cad", "#79b8ff"},           Colour{Tint::blue_fill, "blue-fill", "#eaf3fd", "#10243e"},
    Colour{Tint::blue_wash, "blue-wash", "#f8fbff", "#0e1620"}, Colour{Tint::green, "green", "#1a7f37", "#56d364"},
};

std::string properties(std::string_view Colour::*scheme) {
  std::string text = ".gradscan{";
  for (const Colour& colour : colours) text += fmt::format("--gradscan-{}:{};", colour.name, colour.*scheme);
  return text + "}";
}

}  // namespace

std::span<const Colour> palette() {
  return colours;
}

const Colour& colour(Tint tint) {
  return colours[static_cast<std::size_t>(tint)];
}

std::string style_sheet() {
  std::string text =
      fmt::format("{}\n@media (prefers-color-scheme:dark){{{}}}\n", properties(&Colour::light), properties(&Colour::dark));
  for (const auto& [part, property] : {std::pair("fill", "fill"), {"line", "stroke"}}) {
    for (const Colour& colour : colours) {
      text += fmt::format(".gradscan .{0}-{1}{{{2}:var(--gradscan-{1})}}\n", part, colour.name, property);
    }
  }
  return text;
}

}  // namespace gradscan
