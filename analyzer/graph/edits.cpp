// What each edit does to the graph:
//
//   checkpoint    changes the kinds of regions; the graph of a capture is the same for all kinds.
//   freeze        makes edges to the parameter's node lead nowhere. The node stays as an operation that receives and sends no
//                 gradient, so readers of the graph do not see it.
//   ignore        turns the parameter's node into the leaf of some other tensor, and drops the parameter from DDP's order.
//   require_grad  lets gradients flow to those arguments of the region that get none: to a new leaf each, which is what
//                 tensor.requires_grad_() makes of a tensor without grad. An argument that has a graph behind it, and requires
//                 grad under another kind of checkpointing, keeps it: an operation joins the two, and where the argument
//                 requires grad anyway, the leaf changes nothing. Forward leaves no graph inside a region in which nothing
//                 requires grad; there, one operation takes all arguments to all outputs. For a reentrant region that is no
//                 guess: all its outputs require grad if an argument does, and all its arguments get a gradient.
//
// A capture does not say which tensors are saved only because a frozen parameter needs them: they are still saved.
#include "analyzer/graph/edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analyzer/graph/named_parameters.h"
#include "analyzer/graph/observed.h"
#include "analyzer/graph/patterns.h"
#include "analyzer/graph/step.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/error.h"
#include "gradscan/graph.h"

namespace gradscan {
namespace {

void check_region(std::span<const Capture> in_turn, const std::string& option, const std::string& glob) {
  std::vector<std::string> names;
  for (const Capture& capture : in_turn) {
    if (matches_region(capture, glob)) return;
    for (const Region& region : capture.regions) names.push_back(region.name);
  }
  std::string near = did_you_mean(glob, names);
  throw Error(Failure::usage, option + ' ' + glob, "matches no checkpoint region of " + in_turn.front().model,
              !near.empty()   ? near
              : names.empty() ? "name its regions with --checkpoint"
                              : "it has " + names.front());
}

void set_kinds(Capture& capture, const std::vector<CheckpointPattern>& patterns) {
  for (const CheckpointPattern& pattern : patterns)
    if (matches_region(capture, pattern.glob)) apply_patterns(capture, {pattern});
}

// The nodes of these parameters, which `mark` changes.
template <typename Mark>
std::vector<Node*> nodes_of(Capture& capture, const std::vector<int>& parameters, Mark mark) {
  std::vector<bool> named(capture.parameters.size());
  for (int parameter : parameters) {
    named[parameter] = true;
    mark(capture.parameters[parameter]);
  }
  std::vector<Node*> nodes;
  for (Node& node : capture.nodes)
    if (node.role == Role::parameter && named[node.parameter]) nodes.push_back(&node);
  return nodes;
}

void freeze(Capture& capture, const std::vector<std::string>& globs) {
  auto mark = [](Parameter& parameter) { parameter.requires_grad = false; };
  for (Node* node : nodes_of(capture, parameters_named(capture, "--freeze", globs), mark)) *node = Node{};
  auto cut = [&](GradEdge& edge) {
    bool is_gone =
        edge.node != none && capture.nodes[edge.node].role == Role::operation && capture.nodes[edge.node].next.empty();
    if (is_gone) edge = {};
  };
  for (Node& node : capture.nodes) std::for_each(node.next.begin(), node.next.end(), cut);
  for (Output& output : capture.outputs) cut(output.edge);
}

void ignore(Capture& capture, const std::vector<std::string>& globs) {
  auto mark = [](Parameter& parameter) { parameter.ignored = true; };
  for (Node* node : nodes_of(capture, parameters_named(capture, "--ignore", globs), mark)) *node = Node{.role = Role::leaf};
}

// New nodes, and the edges that will lead to them. Positions are those before the insertion.
class NewNodes {
 public:
  explicit NewNodes(Capture& capture) : capture_(capture) {}

  // At `position`, in front of the node that is there. Returns the edges of the new node, where they will stay.
  GradEdge* add(int position, Node node, std::vector<GradEdge*> edges_to_it) {
    added_.push_back({position, std::move(node), std::move(edges_to_it)});
    return added_.back().node.next.data();
  }

  // Once, at the end: the edges are gone afterwards.
  void insert() {
    std::stable_sort(added_.begin(), added_.end(), [](const Added& a, const Added& b) { return a.position < b.position; });
    renumber();
    std::vector<Node> nodes;
    auto added = added_.begin();
    for (std::size_t old = 0; old <= capture_.nodes.size(); ++old) {
      for (; added != added_.end() && added->position == static_cast<int>(old); ++added)
        nodes.push_back(std::move(added->node));
      if (old < capture_.nodes.size()) nodes.push_back(std::move(capture_.nodes[old]));
    }
    capture_.nodes = std::move(nodes);
  }

 private:
  struct Added {
    int position;
    Node node;
    std::vector<GradEdge*> edges;
  };

  void renumber() {
    std::vector<int> moved(capture_.nodes.size());
    std::size_t before = 0;
    for (std::size_t old = 0; old < moved.size(); ++old) {
      while (before < added_.size() && added_[before].position <= static_cast<int>(old)) ++before;
      moved[old] = static_cast<int>(old + before);
    }
    auto move = [&](int& node) {
      if (node != none) node = moved[node];
    };
    for (Added& added : added_)
      for (GradEdge& edge : added.node.next) move(edge.node);
    for (Node& node : capture_.nodes)
      for (GradEdge& edge : node.next) move(edge.node);
    for (Output& output : capture_.outputs) move(output.edge.node);
    for (Region& region : capture_.regions) move(region.begin), move(region.end);
    for (std::size_t at = 0; at < added_.size(); ++at)
      for (GradEdge* edge : added_[at].edges) *edge = {added_[at].position + static_cast<int>(at), 0};
  }

  Capture& capture_;
  std::vector<Added> added_;
};

// Makes arguments of regions require grad.
class RequireGrad {
 public:
  explicit RequireGrad(Capture& capture)
      : capture_(capture),
        graphs_{GradGraph(capture, Checkpointing::as_given), GradGraph(capture, Checkpointing::reentrant)},
        unclear_inside_(find_unclear()),
        added_(capture) {}

  void apply(const Region& region) {
    std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (may_require_grad(region, slot) && !always_requires_grad(arguments[slot])) open(region, arguments[slot]);
    if (!has_graph(region))
      connect(region);
    else
      check_inside(region);
  }

  void finish() { added_.insert(); }

 private:
  // Under every kind of checkpointing.
  bool always_requires_grad(GradEdge edge) const {
    return std::all_of(graphs_.begin(), graphs_.end(), [&](const GradGraph& graph) { return graph.target(edge) != none; });
  }

  // Under some kind of checkpointing.
  bool requires_grad(GradEdge edge) const {
    return std::any_of(graphs_.begin(), graphs_.end(), [&](const GradGraph& graph) { return graph.target(edge) != none; });
  }

  // If nothing in a region requires grad, not even an argument, forward leaves no trace of it.
  bool has_graph(const Region& region) const {
    for (int id = region.begin + 1; id < region.end; ++id)
      if (capture_.nodes[id].role == Role::operation && requires_grad({id, 0})) return true;
    return false;
  }

  // The capture does not say what is computed from an argument that did not require grad. If a region inside gets any of that,
  // it may then be executed.
  void check_inside(const Region& region) const {
    const int inside = unclear_inside_[&region - capture_.regions.data()];
    if (inside == none) return;
    throw Error(Failure::usage, "--require-grad " + region.name,
                fmt::format("its effect is not known: {} does not say what region {}, which is inside, would then get",
                            capture_.model, capture_.regions[inside].name),
                "make the tensor require grad in the script, and record the model again");
  }

  bool is_unclear(const Region& region) const {
    const std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (arguments[slot].node == none && may_require_grad(region, slot)) return true;
    return false;
  }

  // Parents precede their children.
  std::vector<int> find_unclear() const {
    std::vector<int> inside(capture_.regions.size(), none);
    for (int id = static_cast<int>(inside.size()) - 1; id >= 0; --id)
      if (const int parent = capture_.regions[id].parent; parent != none)
        if (is_unclear(capture_.regions[id]) || inside[id] != none) inside[parent] = inside[id] == none ? id : inside[id];
    return inside;
  }

  void open(const Region& region, GradEdge& argument) {
    GradEdge* to_leaf = &argument;
    if (argument.node != none)
      to_leaf =
          1 + added_.add(region.begin, {.next = {argument, {}}, .module = capture_.nodes[region.begin].module}, {&argument});
    added_.add(0, {.role = Role::leaf}, {to_leaf});
  }

  void connect(const Region& region) {
    Node all{.module = capture_.nodes[region.begin].module};
    for (std::size_t slot = 0; slot < capture_.nodes[region.begin].next.size(); ++slot)
      if (may_require_grad(region, slot)) all.next.push_back({region.begin, static_cast<int>(slot)});
    std::vector<GradEdge*> outputs;
    for (GradEdge& output : capture_.nodes[region.end].next) outputs.push_back(&output);
    added_.add(region.end, std::move(all), std::move(outputs));
  }

  Capture& capture_;
  std::array<GradGraph, 2> graphs_;
  std::vector<int> unclear_inside_;  // for each region, one inside it with an argument of which the capture says nothing
  NewNodes added_;
};

void require_grad(Capture& capture, const std::vector<std::string>& globs) {
  if (globs.empty()) return;
  RequireGrad edit(capture);
  for (const Region& region : capture.regions) {
    auto matches = [&](const std::string& glob) { return glob_match(glob, region.name); };
    if (std::any_of(globs.begin(), globs.end(), matches)) edit.apply(region);
  }
  edit.finish();
}

// Adds notes, which the report repeats.
void note(Capture& capture, const Edits& edits) {
  auto add = [&](const std::vector<std::string>& names, const std::string& what) {
    for (const std::string& name : names)
      capture.notes.push_back(fmt::format("Changed before the analysis: {} {}.", name, what));
  };
  add(edits.freeze, "does not require grad");
  add(edits.ignore, "is ignored by DDP, so every rank trains it on its own");
  add(edits.require_grad, "gets tensors that require grad");
}

}  // namespace

bool may_require_grad(const Region& region, std::size_t slot) {
  return slot >= region.argument_dtypes.size() || is_floating(region.argument_dtypes[slot]);
}

std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits) {
  for (const CheckpointPattern& pattern : edits.checkpoint) check_region(in_turn, "--checkpoint", pattern.glob);
  for (const std::string& glob : edits.require_grad) check_region(in_turn, "--require-grad", glob);
  std::vector<Capture> result(in_turn.begin(), in_turn.end());
  for (Capture& capture : result) {
    if (!edits.empty()) settle_observation(capture);
    set_kinds(capture, edits.checkpoint);
    freeze(capture, edits.freeze);
    ignore(capture, edits.ignore);
    require_grad(capture, edits.require_grad);
    note(capture, edits);
  }
  return result;
}

Capture edited(Capture capture, const Edits& edits) {
  std::vector<Capture> graphs = edited(graphs_of(capture), edits);
  for (std::size_t at = 0; at < capture.further.size(); ++at) {
    graphs[at + 1].model = std::move(capture.further[at].model);
    capture.further[at] = std::move(graphs[at + 1]);
  }
  graphs.front().further = std::move(capture.further);
  return std::move(graphs.front());
}

}  // namespace gradscan
