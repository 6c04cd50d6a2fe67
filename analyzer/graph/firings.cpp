// A *pass* is one backward of torch's engine: the outer one, or the inner one of a reentrant region. Each is a separate
// breadth-first search; a region's pass is queued when another pass reaches its checkpoint vertex. A vertex is marked with the
// number of the last pass that visited it, so no pass has to clear anything. The total cost is one visit per vertex and pass,
// and without closures the passes visit disjoint parts of the graph (except for parameters).
#include "gradscan/firings.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/pending/queue.hpp>

#include "analyzer/base/sort_unique.h"
#include "analyzer/graph/step.h"

namespace gradscan {
namespace {

// Boost's colour map over the pass numbers: white is "not yet visited in this pass".
struct PassColors {
  using key_type = std::uint32_t;
  using value_type = boost::default_color_type;
  using reference = value_type;
  using category = boost::read_write_property_map_tag;

  std::vector<int>* last_pass;
  int pass;
};

boost::default_color_type get(const PassColors& colors, std::uint32_t vertex) {
  return (*colors.last_pass)[vertex] == colors.pass ? boost::gray_color : boost::white_color;
}

void put(const PassColors& colors, std::uint32_t vertex, boost::default_color_type color) {
  if (color != boost::white_color) (*colors.last_pass)[vertex] = colors.pass;
}

// Calls `visit` once for every vertex that can be reached from the roots.
template <typename Visit>
class Discover : public boost::default_bfs_visitor {
 public:
  explicit Discover(Visit& visit) : visit_(visit) {}
  void discover_vertex(std::uint32_t vertex, const GradGraph::Edges&) { visit_(static_cast<int>(vertex)); }

 private:
  Visit& visit_;
};

template <typename Visit>
void search(const GradGraph& graph, std::vector<int> roots, PassColors colors, Visit visit) {
  sort_unique(roots);
  boost::queue<std::uint32_t> queue;
  boost::breadth_first_visit(graph.edges(), roots.begin(), roots.end(), queue, Discover<Visit>(visit), colors);
}

std::vector<int> targets(const GradGraph& graph, const std::vector<GradEdge>& edges) {
  std::vector<int> vertices;
  for (GradEdge edge : edges)
    if (int vertex = graph.target(edge); vertex != none) vertices.push_back(vertex);
  return vertices;
}

class Counter {
 public:
  Counter(const Capture& capture, const GradGraph& graph)
      : capture_(capture),
        graph_(graph),
        ddp_index_(ddp_indices(capture)),
        last_pass_(capture.nodes.size(), none),
        ran_in_(capture.nodes.size()) {
    firings_.causes.resize(ddp_order(capture).size());
    firings_.executed.resize(capture.regions.size());
  }

  Firings count(const std::vector<GradEdge>& roots) {
    run_pass(outer_graph, targets(graph_, roots));
    for (std::size_t next = 0; next < queued_.size(); ++next) run_pass(queued_[next], graph_.inner_roots(queued_[next]));
    for (std::vector<Cause>& causes : firings_.causes) std::sort(causes.begin(), causes.end());
    std::sort(firings_.runs_twice_in.begin(), firings_.runs_twice_in.end());
    return std::move(firings_);
  }

 private:
  void run_pass(Cause cause, const std::vector<int>& roots) {
    search(graph_, roots, PassColors{&last_pass_, ++passes_}, [&](int vertex) { visit(vertex, cause); });
  }

  void visit(int vertex, Cause cause) {
    const Node& node = capture_.nodes[vertex];
    if (node.role == Role::parameter) firings_.causes[ddp_index_[node.parameter]].push_back(cause);
    int region = graph_.region_of(vertex);
    if (region == none && !node.saves_tensors) return;
    note_run(vertex, cause);
    if (region == none || firings_.executed[region]) return;
    firings_.executed[region] = true;
    queued_.push_back(region);
  }

  void note_run(int vertex, Cause cause) {
    std::optional<Cause>& before = ran_in_[vertex];
    if (before && !firings_.runs_twice) {
      firings_.runs_twice = vertex;
      firings_.runs_twice_in = {*before};
    }
    if (firings_.runs_twice == vertex) firings_.runs_twice_in.push_back(cause);
    before = cause;
  }

  const Capture& capture_;
  const GradGraph& graph_;
  std::vector<int> ddp_index_;
  std::vector<int> last_pass_;
  int passes_ = none;
  std::vector<std::optional<Cause>> ran_in_;  // for each vertex that has run and freed what it saved: the cause of that pass
  std::vector<int> queued_;
  Firings firings_;
};

// An output that is itself a parameter or an input has no backward node of its own.
bool has_backward_node(const Capture& capture, const GradGraph& graph, const Output& output) {
  int vertex = graph.target(output.edge);
  return vertex != none && capture.nodes[vertex].role != Role::parameter && capture.nodes[vertex].role != Role::leaf;
}

}  // namespace

std::vector<GradEdge> loss_roots(const Capture& capture, const TrainingStep& step) {
  std::vector<GradEdge> roots;
  std::vector<bool> in_backward = outputs_in_backward(capture, step);
  for (std::size_t output = 0; output < capture.outputs.size(); ++output)
    if (in_backward[output]) roots.push_back(capture.outputs[output].edge);
  return roots;
}

bool feeds_sink(const Capture& capture, const GradGraph& graph, const TrainingStep& step) {
  std::vector<bool> in_backward = outputs_in_backward(capture, step);
  for (std::size_t at = 0; at < in_backward.size(); ++at)
    if (in_backward[at] && capture.outputs[at].behind_sink && has_backward_node(capture, graph, capture.outputs[at]))
      return true;
  return false;
}

std::vector<GradEdge> sink_roots(const Capture& capture, const GradGraph& graph, const TrainingStep& step) {
  std::vector<GradEdge> roots = loss_roots(capture, step);
  if (!feeds_sink(capture, graph, step)) return roots;
  for (const Output& output : capture.outputs)
    if (output.behind_sink) roots.push_back(output.edge);
  return roots;
}

Firings count_firings(const Capture& capture, const GradGraph& graph, const std::vector<GradEdge>& roots) {
  return Counter(capture, graph).count(roots);
}

std::vector<bool> seen_by_search(const Capture& capture, const GradGraph& graph) {
  std::vector<GradEdge> roots;
  for (const Output& output : capture.outputs)
    if (output.found_by_ddp && has_backward_node(capture, graph, output)) roots.push_back(output.edge);
  std::vector<int> last_pass(capture.nodes.size(), none), ddp_index = ddp_indices(capture);
  std::vector<bool> seen(ddp_order(capture).size());
  search(graph, targets(graph, roots), PassColors{&last_pass, 0}, [&](int vertex) {
    const Node& node = capture.nodes[vertex];
    if (node.role == Role::parameter) seen[ddp_index[node.parameter]] = true;
  });
  return seen;
}

}  // namespace gradscan
