// Reading a capture as a graph is one pass over the nodes in ascending order. Edges point to lower numbers, so when a node is
// reached it is known of each of its edges where it leads (through transparent boundaries) and whether anything there requires
// grad. Time and memory are linear in nodes and edges.
#include "gradscan/graph.h"

#include <algorithm>
#include <utility>

namespace gradscan {
namespace {

std::vector<Kind> kinds_under(const Capture& capture, Checkpointing checkpointing) {
  std::vector<Kind> kinds;
  for (const Region& region : capture.regions) {
    switch (checkpointing) {
      case Checkpointing::as_given:
        kinds.push_back(region.kind);
        break;
      case Checkpointing::reentrant:
        kinds.push_back(Kind::reentrant);
        break;
      case Checkpointing::non_reentrant:
        kinds.push_back(Kind::non_reentrant);
        break;
      case Checkpointing::off:
        kinds.push_back(Kind::off);
        break;
    }
  }
  return kinds;
}

bool contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

GradGraph::GradGraph(const Capture& capture, Checkpointing checkpointing)
    : boundary_of_(capture.nodes.size(), none),
      slots_(2 * capture.regions.size()),
      exists_(capture.nodes.size()),
      region_of_(capture.nodes.size(), none),
      inner_roots_(capture.regions.size()) {
  resolve(capture, kinds_under(capture, checkpointing));
}

void GradGraph::resolve(const Capture& capture, const std::vector<Kind>& kinds) {
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
      resolve_boundary(capture, id, region, kinds[region] == Kind::reentrant);
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

// Fills the boundary's slots: where a gradient that is sent to them arrives.
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
  const std::vector<int>& nested = capture.regions[region].nested_outputs;
  if (executed) region_of_[vertex] = region;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    bool differentiable = executed && !contains(nested, static_cast<int>(slot));
    if (differentiable && slots[slot] != none) inner_roots_[region].push_back(slots[slot]);
    slots[slot] = differentiable ? vertex : none;
  }
}

int GradGraph::target(GradEdge edge) const {
  if (edge.node == none) return none;
  if (int boundary = boundary_of_[edge.node]; boundary != none) return slots_[boundary][edge.slot];
  return exists_[edge.node] ? edge.node : none;
}

}  // namespace gradscan
