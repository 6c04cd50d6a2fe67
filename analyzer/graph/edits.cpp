// What each edit does to the graph:
//
//   checkpoint    changes the kinds of regions; the graph of a capture is the same for all kinds.
//   freeze        makes edges to the parameter's node lead nowhere. The node stays as an operation that receives and sends no
//                 gradient, so readers of the graph do not see it.
//   ignore        turns the parameter's node into the leaf of some other tensor, and drops the parameter from DDP's order.
//   require_grad  lets gradients flow to those arguments of the region that get none: to a new leaf each, which is what
//                 tensor.requires_grad_() makes of a tensor without history. New leaves precede all other nodes.
//
// A capture does not say which tensors are saved only because a frozen parameter needs them: they are still saved.
#include "analyzer/graph/edits.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/graph/named_parameters.h"
#include "analyzer/graph/patterns.h"
#include "analyzer/graph/step.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

bool matches_region(const Capture& capture, const std::string& glob) {
  return std::any_of(capture.regions.begin(), capture.regions.end(),
                     [&](const Region& region) { return glob_match(glob, region.name); });
}

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

bool may_require_grad(const Region& region, std::size_t slot) {
  return slot >= region.argument_dtypes.size() || is_floating(region.argument_dtypes[slot]);
}

// Nodes to be inserted before all others.
class NewLeaves {
 public:
  explicit NewLeaves(Capture& capture) : capture_(capture) {}

  void require_grad(const Region& region) {
    std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (has_no_history(capture_, arguments[slot]) && may_require_grad(region, slot)) added_.push_back(&arguments[slot]);
  }

  void insert() {
    int count = static_cast<int>(added_.size());
    shift(count);
    for (int leaf = 0; leaf < count; ++leaf) *added_[leaf] = {leaf, 0};
    capture_.nodes.insert(capture_.nodes.begin(), count, Node{.role = Role::leaf});
  }

 private:
  void shift(int count) {
    auto move = [count](int& node) {
      if (node != none) node += count;
    };
    for (Node& node : capture_.nodes)
      for (GradEdge& edge : node.next) move(edge.node);
    for (Output& output : capture_.outputs) move(output.edge.node);
    for (Region& region : capture_.regions) move(region.begin), move(region.end);
  }

  Capture& capture_;
  std::vector<GradEdge*> added_;  // the edges to them
};

void require_grad(Capture& capture, const std::vector<std::string>& globs) {
  NewLeaves leaves(capture);
  for (const Region& region : capture.regions) {
    auto matches = [&](const std::string& glob) { return glob_match(glob, region.name); };
    if (std::none_of(globs.begin(), globs.end(), matches)) continue;
    if (!has_graph(capture, region))
      throw Error(Failure::usage, "--require-grad " + region.name, "nothing in it requires grad, so its graph is unknown",
                  "export the model with an input that requires grad");
    leaves.require_grad(region);
  }
  leaves.insert();
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

bool has_graph(const Capture& capture, const Region& region) {
  auto first = capture.nodes.begin() + region.begin, last = capture.nodes.begin() + region.end;
  return std::any_of(first, last, [](const Node& node) { return node.role == Role::operation; });
}

bool has_no_history(const Capture& capture, GradEdge argument) {
  if (argument.node == none) return true;
  auto source = std::find_if(capture.regions.begin(), capture.regions.end(),
                             [&](const Region& region) { return region.end == argument.node; });
  return source != capture.regions.end() && !has_graph(capture, *source);
}

std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits) {
  for (const CheckpointPattern& pattern : edits.checkpoint) check_region(in_turn, "--checkpoint", pattern.glob);
  for (const std::string& glob : edits.require_grad) check_region(in_turn, "--require-grad", glob);
  std::vector<Capture> result(in_turn.begin(), in_turn.end());
  for (Capture& capture : result) {
    set_kinds(capture, edits.checkpoint);
    freeze(capture, edits.freeze);
    ignore(capture, edits.ignore);
    require_grad(capture, edits.require_grad);
    note(capture, edits);
  }
  return result;
}

Capture edited(Capture capture, const Edits& edits) {
  return std::move(edited(std::span<const Capture>(&capture, 1), edits).front());
}

}  // namespace gradscan
