#include "dot/layout/layout.h"

#include <fmt/format.h>
#include <graphviz/gvc.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "analyzer/base/child_process.h"
#include "dot/layout/graph.h"
#include "dot/layout/sizes.h"
#include "gradscan/error.h"

extern "C" {
extern gvplugin_library_t gvplugin_core_LTX_library;
extern gvplugin_library_t gvplugin_dot_layout_LTX_library;
}

namespace gradscan {
namespace {

[[noreturn]] void fail(const std::string& problem) {
  throw Error(Failure::output, "", problem);
}

// Leaves Graphviz' results in attributes of the graph, as text. Returns its version.
std::string run_graphviz(Agraph_t* graph) {
  static lt_symlist_t plugins[] = {{"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
                                   {"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
                                   {nullptr, nullptr}};
  GVC_t* context = gvContextPlugins(plugins, 0);  // 0: load no others
  if (!context || gvLayout(context, graph, "dot") != 0) fail("Graphviz cannot lay out the picture");
  if (gvRender(context, graph, "dot", nullptr) != 0) fail("Graphviz cannot write out the layout of the picture");
  return gvcVersion(context);
}

// Reads numbers from attributes such as "e,27,36.1 27,71.7 27,64.1".
class Numbers {
 public:
  Numbers(void* object, const char* key) {
    const char* value = agget(object, const_cast<char*>(key));
    text_ = value ? value : "";
  }

  bool done() const { return text_.empty(); }
  bool skip(std::string_view prefix) {
    if (!text_.starts_with(prefix)) return false;
    text_.remove_prefix(prefix.size());
    return true;
  }
  double next() {
    char* end = nullptr;
    const double value = std::strtod(text_.data(), &end);
    if (end == text_.data()) fail("Graphviz writes a position in the picture in an unknown format");
    text_.remove_prefix(end - text_.data());
    if (!text_.empty() && (text_[0] == ',' || text_[0] == ' ')) text_.remove_prefix(1);
    return value;
  }

 private:
  std::string_view text_;
};

class Reader {
 public:
  explicit Reader(const SceneGraph& graph) : graph_(graph) {
    Numbers box(graph.root, "bb");
    left_ = box.next(), box.next();
    layout_.width = box.next() - left_;
    top_ = box.next();
  }

  Layout read(const Scene& scene) {
    double bottom = 0;
    for (const Box& box : scene.boxes) {
      const Size size = size_of(box);
      const Point centre = point(graph_.boxes.at(box.id), "pos");
      layout_.boxes[box.id] = {centre.x - size.width / 2, centre.y - size.height / 2, size.width, size.height};
    }
    for (const RegionFrame& frame : scene.frames) layout_.frames[frame.id] = area(graph_.frames.at(frame.id));
    for (std::size_t i = 0; i < scene.links.size(); ++i) layout_.routes.push_back(route(scene.links[i], graph_.links[i]));
    Numbers box(graph_.root, "bb");
    box.next(), bottom = box.next();
    layout_.height = top_ - bottom;
    return std::move(layout_);
  }

 private:
  Point point(Numbers& numbers) const {
    const double x = numbers.next();
    return {x - left_, top_ - numbers.next()};  // Graphviz counts from below
  }

  Point point(void* object, const char* key) const {
    Numbers numbers(object, key);
    return point(numbers);
  }

  Area area(Agraph_t* frame) const {
    Numbers numbers(frame, "bb");
    const Point lower = point(numbers), upper = point(numbers);
    return {lower.x, upper.y, upper.x - lower.x, lower.y - upper.y};
  }

  Route route(const Link& link, Agedge_t* edge) const {
    Route route;
    if (!edge || link.meaning == Link::below) return route;
    Numbers numbers(edge, "pos");
    if (numbers.skip("e,")) route.tip = point(numbers);
    while (!numbers.done()) route.curve.push_back(point(numbers));
    if (!link.lines.empty()) route.label = point(edge, "lp");
    return route;
  }

  const SceneGraph& graph_;
  Layout layout_;
  double left_ = 0, top_ = 0;
};

Layout lay_out(const Scene& scene, bool narrow) {
  const SceneGraph graph = make_graph(scene, narrow);
  const std::string version = run_graphviz(graph.root);
  Layout layout = Reader(graph).read(scene);
  layout.by = version;
  return layout;
}

}  // namespace

std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit) {
  ChildEnd end = run_in_child("", time_limit, work);
  if (end.time_over)
    throw Error(Failure::limit, "", fmt::format("Graphviz takes longer than {} ms to lay out the picture", time_limit.count()));
  if (!end.result) fail("Graphviz crashed while laying out the picture");
  return std::move(*end.result);
}

Layout lay_out(const Scene& scene, double most) {
  Layout layout = lay_out(scene, false);
  return layout.width <= most ? layout : lay_out(scene, true);
}

}  // namespace gradscan
