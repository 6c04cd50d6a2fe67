// A laid-out Scene as SVG.
//
// The picture works at 800 pixels, on paper or on a dark screen, in whatever font is available: text is centred in its box, and
// boxes are wide enough for the widest common font. Attributes repeat what the style sheet says, for renderers that ignore
// style sheets. docs/picture.md documents the ids, classes and attributes that others may rely on.
#pragma once

#include <string>

#include "dot/layout/layout.h"
#include "dot/scene/scene.h"

namespace gradscan {

// `id` is that of the root element; all other ids start with it and a dash.
std::string draw_svg(const Scene& scene, const Layout& layout, const std::string& id);

}  // namespace gradscan
