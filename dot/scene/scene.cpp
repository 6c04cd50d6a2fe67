#include "dot/scene/scene.h"

#include "dot/scene/captions.h"
#include "dot/scene/sketch.h"

namespace gradscan {

Scene make_scene(const Report& report, const PictureOptions& options) {
  const Selection selection = select(report, options);
  Sketch sketch{.report = report, .selection = selection, .whole = options.whole, .names = RegionNames(report)};
  add_source(sketch);
  add_message(sketch);
  for (const Segment& segment : selection.segments) segment.full ? add_full(sketch, segment.first) : add_fold(sketch, segment);
  add_flow(sketch);
  add_search(sketch);
  add_further_uses(sketch);
  add_strays(sketch);
  add_captions(sketch.scene, report, selection, options);
  return std::move(sketch.scene);
}

}  // namespace gradscan
