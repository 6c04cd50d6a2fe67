#include "gradscan/capture.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 23> element_sizes{{
    {"float64", 8},     {"float32", 4},       {"float16", 2},         {"bfloat16", 2},        {"int64", 8},  {"int32", 4},
    {"int16", 2},       {"int8", 1},          {"uint8", 1},           {"uint16", 2},          {"uint32", 4}, {"uint64", 8},
    {"bool", 1},        {"complex32", 4},     {"complex64", 8},       {"complex128", 16},     {"qint8", 1},  {"quint8", 1},
    {"float8_e5m2", 1}, {"float8_e4m3fn", 1}, {"float8_e5m2fnuz", 1}, {"float8_e4m3fnuz", 1}, {"qint32", 4},
}};

class Validator {
 public:
  Validator(const Capture& capture, const std::string& subject) : capture_(capture), subject_(subject) {}

  void run() const {
    for (std::size_t id = 0; id < capture_.nodes.size(); ++id) check_node(static_cast<int>(id));
    check_parameters_once();
    check_regions();
    for (const Output& output : capture_.outputs) check_edge(output.edge, node_count(), "output " + output.path);
    check_scopes();
  }

 private:
  int node_count() const { return static_cast<int>(capture_.nodes.size()); }

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Failure::not_a_model, subject_, "is not a valid capture: " + problem, "record or capture it again");
  }

  void check_edge(GradEdge edge, int limit, const std::string& owner) const {
    if (edge.node == none) return;
    if (edge.node < 0 || edge.node >= limit || edge.slot < 0) fail(owner + " has an edge to no earlier node");
    const Node& target = capture_.nodes[edge.node];
    bool boundary = target.role == Role::region_begin || target.role == Role::region_end;
    if (boundary && edge.slot >= static_cast<int>(target.next.size()))
      fail(owner + " uses a slot that its region does not have");
  }

  void check_node(int id) const {
    const Node& node = capture_.nodes[id];
    std::string owner = "node " + std::to_string(id);
    for (GradEdge edge : node.next) check_edge(edge, id, owner);
    for (int storage : node.saved)
      if (storage < 0 || storage >= static_cast<int>(capture_.storages.size())) fail(owner + " saves an unknown storage");
    bool accumulates = node.role == Role::parameter || node.role == Role::leaf;
    if (accumulates && !node.next.empty()) fail(owner + " accumulates a gradient and yet sends one on");
  }

  void check_parameters_once() const {
    std::vector<bool> has_node(capture_.parameters.size());
    for (const Node& node : capture_.nodes) {
      if (node.role != Role::parameter) continue;
      if (node.parameter < 0 || node.parameter >= static_cast<int>(has_node.size()))
        fail("a node accumulates an unknown parameter");
      if (!capture_.parameters[node.parameter].requires_grad) fail("a frozen parameter has a gradient node");
      if (has_node[node.parameter]) fail("a parameter has two gradient nodes");
      has_node[node.parameter] = true;
    }
  }

  void check_regions() const {
    std::size_t boundaries = 0;
    for (const Node& node : capture_.nodes) boundaries += node.role == Role::region_begin || node.role == Role::region_end;
    if (boundaries != 2 * capture_.regions.size()) fail("a region boundary belongs to no region");
    for (std::size_t id = 0; id < capture_.regions.size(); ++id) check_region(static_cast<int>(id));
  }

  bool is(int node, Role role) const { return node >= 0 && node < node_count() && capture_.nodes[node].role == role; }

  void check_region(int id) const {
    const Region& region = capture_.regions[id];
    std::string owner = "region " + std::to_string(id);
    if (!is(region.begin, Role::region_begin) || !is(region.end, Role::region_end) || region.begin > region.end)
      fail(owner + " has no boundary nodes");
    int outputs = static_cast<int>(capture_.nodes[region.end].next.size());
    for (int slot : region.nested_outputs)
      if (slot < 0 || slot >= outputs) fail(owner + " has no output " + std::to_string(slot));
    if (region.parent == none) return;
    if (region.parent < 0 || region.parent >= id) fail(owner + " stands before its parent");
    const Region& parent = capture_.regions[region.parent];
    if (region.begin < parent.begin || region.end > parent.end) fail(owner + " is not inside its parent");
  }

  // Nothing outside of a region may point into it: only its end node does. A region's begin node belongs to the scope around it
  // as far as its own edges are concerned, and to its inside as a target.
  void check_scopes() const {
    std::vector<int> innermost = innermost_regions(capture_);
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      int scope = node.role == Role::region_begin ? capture_.regions[innermost[id]].parent : innermost[id];
      for (GradEdge edge : node.next)
        if (edge.node != none && !visible(edge.node, scope, innermost))
          fail("node " + std::to_string(id) + " points into a region");
    }
    for (const Output& output : capture_.outputs)
      if (output.edge.node != none && !visible(output.edge.node, none, innermost)) fail("an output is inside of a region");
  }

  bool visible(int target, int scope, const std::vector<int>& innermost) const {
    Role role = capture_.nodes[target].role;
    if (role == Role::parameter || role == Role::leaf) return true;
    int home = innermost[target];
    if (role == Role::region_end) home = capture_.regions[home].parent;
    while (scope != none && scope != home) scope = capture_.regions[scope].parent;
    return scope == home;
  }

  const Capture& capture_;
  const std::string& subject_;
};

}  // namespace

std::vector<int> ddp_order(const Capture& capture) {
  std::vector<int> order;
  for (std::size_t id = 0; id < capture.parameters.size(); ++id)
    if (capture.parameters[id].requires_grad) order.push_back(static_cast<int>(id));
  return order;
}

std::string ddp_name(const Parameter& parameter) {
  const std::string& last = parameter.aliases.empty() ? parameter.name : parameter.aliases.back();
  return last.find('.') == std::string::npos ? "." + last : last;
}

std::vector<int> innermost_regions(const Capture& capture) {
  std::vector<int> region_of_boundary(capture.nodes.size(), none), innermost(capture.nodes.size(), none), open;
  for (std::size_t id = 0; id < capture.regions.size(); ++id) {
    region_of_boundary[capture.regions[id].begin] = static_cast<int>(id);
    region_of_boundary[capture.regions[id].end] = static_cast<int>(id);
  }
  for (std::size_t id = 0; id < capture.nodes.size(); ++id) {
    Role role = capture.nodes[id].role;
    if (role == Role::region_begin) open.push_back(region_of_boundary[id]);
    if (!open.empty()) innermost[id] = open.back();
    if (role == Role::region_end && !open.empty()) open.pop_back();
  }
  return innermost;
}

std::int64_t element_size(std::string_view dtype) {
  for (auto [name, size] : element_sizes)
    if (name == dtype) return size;
  throw Error(Failure::not_a_model, "", "unknown dtype \"" + std::string(dtype) + "\"",
              "use one of torch's names, such as float32");
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::reentrant:
      return "reentrant";
    case Kind::non_reentrant:
      return "non_reentrant";
    case Kind::off:
      return "off";
  }
  return "";
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::operation:
      return "operation";
    case Role::parameter:
      return "parameter";
    case Role::leaf:
      return "leaf";
    case Role::region_begin:
      return "region_begin";
    case Role::region_end:
      return "region_end";
  }
  return "";
}

void validate(const Capture& capture, const std::string& subject) {
  Validator(capture, subject).run();
}

}  // namespace gradscan
