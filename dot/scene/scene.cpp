#include "dot/scene/scene.h"

#include "dot/scene/captions.h"
#include "dot/scene/scene_draft.h"

namespace gradscan {

Scene make_scene(const Report& report, const PictureOptions& options) {
  const Selection selection = select(report, options);
  SceneDraft draft{.report = report, .selection = selection, .whole = options.whole, .names = RegionNames(report)};
  add_source(draft);
  add_message(draft);
  for (const Segment& segment : selection.segments) segment.full ? add_full(draft, segment.first) : add_fold(draft, segment);
  add_flow(draft);
  add_search(draft);
  add_further_uses(draft);
  add_escaping_backwards(draft);
  add_captions(draft.scene, report, selection, options);
  return std::move(draft.scene);
}

}  // namespace gradscan
