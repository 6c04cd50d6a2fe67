// The autograd graphs of a Capture for one choice of checkpointing, as a Boost.Graph graph.
//
// This header includes Boost.Graph; gradscan/gradscan.h does not include it.
//
//     GradGraph graph(capture, Checkpointing::as_given);
//     boost::out_degree(vertex, graph.edges());
//
// A vertex has the number of its capture node. An edge means: after this vertex runs backward, that one runs. Parallel edges
// are kept. Building the graph takes time and memory linear in the capture's edges.
//
// Regions that are not reentrant are transparent: edges lead through their boundary nodes to the node behind, and the boundary
// nodes themselves are isolated. A reentrant region leaves the outer graph: its region_end vertex is the checkpoint node that
// takes its place, with one edge for each argument that requires grad. In torch, the graph inside exists only while that vertex
// runs backward. Here it is part of the same graph (its vertices lie between begin and end): it starts at inner_roots(region)
// and ends at the region's region_begin vertex, which stands for the detached copies of the arguments. The only edges that lead
// out of it go to parameters and, for closures, to vertices outside.
#pragma once

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <cstdint>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

class GradGraph {
 public:
  using Edges = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property, boost::no_property,
                                                   std::uint32_t, std::uint32_t>;

  GradGraph(const Capture& capture, Checkpointing checkpointing);

  const Edges& edges() const { return edges_; }

  // The vertex that receives the gradient sent along a capture edge, or none if nothing there requires grad.
  int target(GradEdge edge) const;

  // The reentrant region whose checkpoint vertex this is, or none.
  int region_of(int vertex) const { return region_of_[vertex]; }

  // Where the inner backward of a reentrant region starts: its outputs that require grad in the recomputation. Empty for other
  // regions, and if none of its arguments requires grad (it is then never executed).
  const std::vector<int>& inner_roots(int region) const { return inner_roots_[region]; }

 private:
  void resolve(const Capture& capture, Checkpointing checkpointing);
  void resolve_boundary(const Capture& capture, int vertex, int region, bool reentrant);

  Edges edges_;
  std::vector<int> boundary_of_{};         // per vertex: its position in slots_, or none
  std::vector<std::vector<int>> slots_{};  // per boundary vertex: the target of each of its slots
  std::vector<bool> exists_{};             // per vertex: whether anything behind it requires grad
  std::vector<int> region_of_{};
  std::vector<std::vector<int>> inner_roots_{};
};

}  // namespace gradscan
