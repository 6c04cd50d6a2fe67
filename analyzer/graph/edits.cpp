// What each edit does to the graph:
//
//   checkpoint    other kinds of regions; the graph of a capture is the same for all of them.
//   freeze        edges to the parameter's node lead nowhere. The node stays as an operation that no gradient comes to and that
//                 sends none on: whoever reads the graph sees no such node.
//   ignore        the parameter's node becomes the leaf of some other tensor, and the parameter leaves DDP's order.
//   require_grad  the arguments of the region that no gradient flows to get one: to a new leaf each, which is what
//                 tensor.requires_grad_() makes of a tensor without history. New leaves stand before all other nodes.
//
// What saves a tensor only because a frozen parameter needed it is not known: it goes on saving it.
#include "analyzer/graph/edits.h"

#include <algorithm>

#include "analyzer/capture/patterns.h"
#include "analyzer/graph/named_parameters.h"
#include "analyzer/graph/step.h"
#include "analyzer/near_matches.h"
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

std::vector<Node*> nodes_of(Capture& capture, const std::string& option, const std::vector<std::string>& globs) {
  std::vector<bool> named(capture.parameters.size());
  for (int parameter : parameters_named(capture, option, globs)) named[parameter] = true;
  std::vector<Node*> nodes;
  for (Node& node : capture.nodes)
    if (node.role == Role::parameter && named[node.parameter]) nodes.push_back(&node);
  for (std::size_t at = 0; at < named.size(); ++at)
    if (named[at]) capture.parameters[at].requires_grad = false;
  return nodes;
}

void freeze(Capture& capture, const std::vector<std::string>& globs) {
  for (Node* node : nodes_of(capture, "--freeze", globs)) *node = Node{};
  auto cut = [&](GradEdge& edge) {
    bool is_gone =
        edge.node != none && capture.nodes[edge.node].role == Role::operation && capture.nodes[edge.node].next.empty();
    if (is_gone) edge = {};
  };
  for (Node& node : capture.nodes) std::for_each(node.next.begin(), node.next.end(), cut);
  for (Output& output : capture.outputs) cut(output.edge);
}

void ignore(Capture& capture, const std::vector<std::string>& globs) {
  for (Node* node : nodes_of(capture, "--ignore", globs)) *node = Node{.role = Role::leaf};
}

bool may_require_grad(const Region& region, std::size_t slot) {
  return slot >= region.argument_dtypes.size() || is_floating(region.argument_dtypes[slot]);
}

// Nodes that are to be inserted in front of all others.
class NewLeaves {
 public:
  explicit NewLeaves(Capture& capture) : capture_(capture) {}

  void require_grad(const Region& region) {
    std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (arguments[slot].node == none && may_require_grad(region, slot)) added_.push_back(&arguments[slot]);
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
  std::vector<GradEdge*> added_;  // edges to them
};

void require_grad(Capture& capture, const std::vector<std::string>& globs) {
  NewLeaves leaves(capture);
  for (const Region& region : capture.regions) {
    auto matches = [&](const std::string& glob) { return glob_match(glob, region.name); };
    if (std::any_of(globs.begin(), globs.end(), matches)) leaves.require_grad(region);
  }
  leaves.insert();
}

}  // namespace

std::vector<Capture> edited(std::span<const Capture> in_turn, const Edits& edits) {
  for (const CheckpointPattern& pattern : edits.checkpoint) check_region(in_turn, "--checkpoint", pattern.glob);
  for (const std::string& glob : edits.require_grad) check_region(in_turn, "--require-grad", glob);
  std::vector<Capture> result(in_turn.begin(), in_turn.end());
  for (Capture& capture : result) {
    set_kinds(capture, edits.checkpoint);
    freeze(capture, edits.freeze);
    ignore(capture, edits.ignore);
    require_grad(capture, edits.require_grad);
  }
  return result;
}

Capture edited(Capture capture, const Edits& edits) {
  return std::move(edited(std::span<const Capture>(&capture, 1), edits).front());
}

}  // namespace gradscan
