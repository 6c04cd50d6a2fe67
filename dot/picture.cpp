#include "dot/picture.h"

#include "dot/layout/graph.h"
#include "dot/layout/layout.h"
#include "dot/scene/scene.h"
#include "dot/write/svg.h"

namespace gradscan {

// The scene is made in this process, where gradscan's own bugs belong; Graphviz, and what needs its results, runs in a child.

std::string to_dot(const Report& report, const PictureOptions& options) {
  const Scene scene = make_scene(report, options);
  return in_child([&] { return write_dot(scene); }, std::chrono::seconds(20));
}

std::string to_svg(const Report& report, const PictureOptions& options, const std::string& id,
                   std::chrono::milliseconds time_limit) {
  const Scene scene = make_scene(report, options);
  return in_child([&] { return draw_svg(scene, lay_out(scene, text_column), id); }, time_limit);
}

std::string to_svg(const Report& report, const PictureOptions& options, std::chrono::milliseconds time_limit) {
  return to_svg(report, options, "gradscan", time_limit);
}

}  // namespace gradscan
