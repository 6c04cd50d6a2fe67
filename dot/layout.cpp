#include "dot/layout.h"

#include <graphviz/gvc.h>

#include <optional>
#include <utility>

#include "analyzer/child_process.h"
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

// The type of the length differs between versions of Graphviz.
template <typename Length>
std::optional<std::string> render(int (*render_data)(GVC_t*, graph_t*, const char*, char**, Length*), GVC_t* context,
                                  Agraph_t* graph) {
  char* data = nullptr;
  Length length = 0;
  if (render_data(context, graph, "svg", &data, &length) != 0 || !data) return std::nullopt;
  return std::string(data, length);
}

}  // namespace

std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit) {
  ChildEnd end = run_in_child("", time_limit, work);
  if (end.time_over)
    throw Error(Failure::limit, "", "Graphviz takes longer than " + std::to_string(time_limit.count()) + " ms for the picture");
  if (!end.result) fail("Graphviz crashed over the picture");
  return std::move(*end.result);
}

std::string render_svg(Agraph_t& graph) {
  static lt_symlist_t plugins[] = {{"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
                                   {"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
                                   {nullptr, nullptr}};
  GVC_t* context = gvContextPlugins(plugins, 0);  // 0: load no others
  if (!context || gvLayout(context, &graph, "dot") != 0) fail("Graphviz cannot lay out the picture");
  auto svg = render(&gvRenderData, context, &graph);
  if (!svg) fail("Graphviz cannot draw the picture");
  return std::move(*svg);
}

}  // namespace gradscan
