#include "analyzer/report/closures.h"

#include <algorithm>
#include <cstdint>

#include "analyzer/base/sort_unique.h"

namespace gradscan {

std::vector<std::vector<int>> closures(const Capture& capture, const GradGraph& graph) {
  std::vector<std::vector<int>> result(capture.regions.size());
  std::vector<int> innermost = innermost_regions(capture);
  for (std::size_t vertex = 0; vertex < capture.nodes.size(); ++vertex) {
    // A checkpoint vertex belongs to the graph around its region.
    int own = graph.region_of(static_cast<int>(vertex));
    int inside = own == none ? innermost[vertex] : capture.regions[own].parent;
    auto [edge, end] = boost::out_edges(static_cast<std::uint32_t>(vertex), graph.edges());
    for (; inside != none && edge != end; ++edge) {
      int next = static_cast<int>(boost::target(*edge, graph.edges()));
      if (capture.nodes[next].role != Role::operation && graph.region_of(next) == none) continue;
      for (int region = inside; region != none && next < capture.regions[region].begin; region = capture.regions[region].parent)
        if (!graph.inner_roots(region).empty()) result[region].push_back(next);
    }
  }
  for (std::vector<int>& vertices : result) sort_unique(vertices);
  return result;
}

Place place_of(const Capture& capture, const GradGraph& graph, int vertex) {
  if (int region = graph.region_of(vertex); region != none) return {.region = region};
  const Node& node = capture.nodes[vertex];
  return {.op = node.op, .module = node.module, .source = node.source};
}

}  // namespace gradscan
