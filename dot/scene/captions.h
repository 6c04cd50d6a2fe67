// The words above and below the picture.
#pragma once

#include "dot/scene/scene.h"
#include "dot/select/selection.h"

namespace gradscan {

// Fills severity, header, footer and summary.
void add_captions(Scene& scene, const Report& report, const Selection& selection, const PictureOptions& options);

}  // namespace gradscan
