// Reads a capture as a graph in one pass over the nodes in ascending order. Edges point to lower numbers, so by the time a node
// is reached, it is known where each of its edges leads (through transparent boundaries) and whether anything there requires
// grad. Time and memory are linear in nodes and edges.
#include "gradscan/graph.h"

#include <algorithm>
#include <utility>

namespace gradscan {
GradGraph::GradGraph(const Capture& capture, Checkpointing checkpointing)
    : boundary_of_(capture.nodes.size(), none),
      slots_(2 * capture.regions.size()),
      exists_(capture.nodes.size()),
      region_of_(capture.nodes.size(), none),
      inner_roots_(capture.regions.size()) {
  resolve(capture, checkpointing);
}

void GradGraph::resolve(const Capture& capture, Checkpointing checkpointing) {
  for (std::size_t region = 0; region < capture.regions.size(); ++region) {
    boundary_of_[capture.regions[region].begin] = static_cast<int>(2 * region);
    boundary_of_[capture.regions[region].end] = static_cast<int>(2 * region + 1);
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  for (std::size_t vertex = 0; vertex < capture.nodes.size(); ++vertex) {
    const Node& node = capture.nodes[vertex];
    int id = static_cast<int>(vertex);
    if (boundary_of_[vertex] != none) {
      int region = boundary_of_[vertex] / 2;
      resolve_boundary(capture, id, region, kind_under(checkpointing, capture.regions[region].kind) == Kind::reentrant);
    } else {
      exists_[vertex] = node.role != Role::operation ||
                        std::any_of(node.next.begin(), node.next.end(), [&](GradEdge edge) { return target(edge) != none; });
    }
    // A checkpoint vertex sends its gradients on to the arguments of its region.
    const Node& sender = region_of_[vertex] == none ? node : capture.nodes[capture.regions[region_of_[vertex]].begin];
    if (boundary_of_[vertex] != none && region_of_[vertex] == none) continue;
    for (GradEdge edge : sender.next)
      if (int next = target(edge); next != none) edges.emplace_back(id, next);
  }
  edges_ = Edges(boost::edges_are_sorted, edges.begin(), edges.end(), static_cast<std::uint32_t>(capture.nodes.size()),
                 static_cast<std::uint32_t>(edges.size()));
}

// Fills the boundary's slots with the vertices at which gradients sent to them arrive.
void GradGraph::resolve_boundary(const Capture& capture, int vertex, int region, bool reentrant) {
  const Node& node = capture.nodes[vertex];
  std::vector<int>& slots = slots_[boundary_of_[vertex]];
  for (GradEdge edge : node.next) slots.push_back(target(edge));
  if (!reentrant) return;
  if (node.role == Role::region_begin) {
    for (int& slot : slots) slot = slot == none ? none : vertex;  // the detached copy of an argument that requires grad
    return;
  }
  const std::vector<int>& arguments = slots_[boundary_of_[capture.regions[region].begin]];
  bool executed = std::any_of(arguments.begin(), arguments.end(), [](int argument) { return argument != none; });
  if (executed) region_of_[vertex] = region;
  const std::vector<int>& nested = capture.regions[region].nested_outputs;
  for (int slot : nested) slots[slot] = none;
  for (int& slot : slots) {
    if (executed && slot != none) inner_roots_[region].push_back(slot);
    slot = executed ? vertex : none;
  }
  for (int slot : nested) slots[slot] = none;
  for (int slot : nested) slots[slot] = target(nested_output_edge(capture, capture.regions[region], slot));
}

int GradGraph::target(GradEdge edge) const {
  if (edge.node == none) return none;
  if (int boundary = boundary_of_[edge.node]; boundary != none) return slots_[boundary][edge.slot];
  return exists_[edge.node] ? edge.node : none;
}

}  // namespace gradscan
