// A laid-out Scene as SVG.
//
// The picture is made for a reader who sees it at 800 pixels, on paper or on a dark screen, in whatever font there is. Texts
// are centred where their boxes are, and boxes are wide enough for the widest usual font. What a style sheet would say is said
// by attributes too, for renderers that read none. docs/picture.md tells which ids, classes and attributes others may rely on.
#pragma once

#include <string>

#include "dot/layout/layout.h"
#include "dot/scene/scene.h"

namespace gradscan {

// `id` is the root's; all others begin with it and a dash.
std::string draw_svg(const Scene& scene, const Layout& layout, const std::string& id);

}  // namespace gradscan
