#include "gradscan/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "analyzer/data/capture_fields.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 25> element_sizes{{
    {"float64", 8},         {"float32", 4},         {"float16", 2}, {"bfloat16", 2},       {"int64", 8},
    {"int32", 4},           {"int16", 2},           {"int8", 1},    {"uint8", 1},          {"uint16", 2},
    {"uint32", 4},          {"uint64", 8},          {"bool", 1},    {"complex32", 4},      {"complex64", 8},
    {"complex128", 16},     {"qint8", 1},           {"quint8", 1},  {"float8_e5m2", 1},    {"float8_e4m3fn", 1},
    {"float8_e5m2fnuz", 1}, {"float8_e4m3fnuz", 1}, {"qint32", 4},  {"float8_e8m0fnu", 1}, {"float4_e2m1fn_x2", 1},
}};

std::optional<std::int64_t> size_of(std::string_view dtype) {
  for (auto [name, size] : element_sizes)
    if (name == dtype) return size;
  return {};
}

// A sum that must not overflow.
struct Amounts {
  std::int64_t sum = 0;
  bool overflown = false;

  void add(std::int64_t amount) { overflown = overflown || __builtin_add_overflow(sum, amount, &sum); }

  // Whether it can be added `more` more times, with room to spare.
  bool fit(std::int64_t more) const { return !overflown && sum <= std::numeric_limits<std::int64_t>::max() / 4 / (more + 1); }
};

// What the description of a capture (capture_fields.h) does not say: how its numbers depend on each other. Every pass over a
// capture relies on these rules without checking them again.
class Validator {
 public:
  Validator(const Capture& capture, const std::string& subject) : capture_(capture), subject_(subject) {}

  void run() const {
    check_ranges();
    for (std::size_t id = 0; id < capture_.nodes.size(); ++id) check_node(static_cast<int>(id));
    for (const Output& output : capture_.outputs) check_edge(output.edge, node_count(), "output " + output.path);
    check_slot_count();
    check_parameters_once();
    check_regions();
    check_scopes();
    check_sums();
    check_seen();
    check_further();
  }

 private:
  int node_count() const { return static_cast<int>(capture_.nodes.size()); }

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Failure::not_a_model, subject_, "is not a valid capture: " + problem, "record or capture it again");
  }

  void check_ranges() const try { forms::Document<Capture>{}.check(capture_); } catch (const forms::Malformed& error) {
    fail(in_words(error));
  }

  void check_seen() const {
    const Observation& observed = capture_.observed;
    if (!observed.firings.empty() && !(observed.error.empty() && observed.reason.empty()))
      fail("what it observed has both firings and a reason why there are none");
    for (std::size_t id = 0; id < capture_.regions.size(); ++id)
      if (capture_.regions[id].recomputation.empty() && capture_.regions[id].mismatch != Mismatch::unknown)
        fail(words(id) + " has a mismatch but no recomputation");
  }

  void check_further() const {
    for (const Capture& further : capture_.further) {
      if (further.parameters != capture_.parameters) fail("a further graph is of another model: its parameters differ");
      if (!further.further.empty()) fail("a further graph has further ones");
      validate(further, subject_);
    }
    check_turns();
  }

  // A graph without a turn would never be judged.
  void check_turns() const {
    constexpr std::size_t most = 10'000;  // each is one iteration of every replay
    std::vector<bool> has_turn(capture_.further.size() + 1, capture_.turns.empty());
    for (int graph : capture_.turns) {
      if (graph >= static_cast<int>(has_turn.size()))
        fail(fmt::format("its turns name graph {}, which it does not have", graph));
      has_turn[graph] = true;
    }
    if (std::ranges::count(has_turn, false) > 0) fail("a further graph has no turn");
    if (std::max(capture_.turns.size(), has_turn.size()) > most) fail(fmt::format("it has more than {} turns", most));
  }

  void check_edge(GradEdge edge, int limit, const std::string& owner) const {
    if (edge.node == none) return;
    if (edge.node >= limit) fail(owner + " has an edge that does not lead to an earlier node");
    if (is_boundary(edge.node) && edge.slot >= static_cast<int>(capture_.nodes[edge.node].next.size()))
      fail(owner + " uses a slot that its region does not have");
  }

  // A replay creates every slot up to the highest one used.
  void check_slot_count() const {
    std::vector<std::int64_t> slots(capture_.nodes.size(), 0);
    std::int64_t edges = 0;
    auto use = [&](GradEdge edge) {
      if (edge.node == none) return;
      slots[edge.node] = std::max<std::int64_t>(slots[edge.node], edge.slot + std::int64_t{1});
      ++edges;
    };
    for (const Node& node : capture_.nodes) std::for_each(node.next.begin(), node.next.end(), use);
    for (const Output& output : capture_.outputs) use(output.edge);
    std::int64_t limit = 1'000'000 + 16 * edges;
    if (std::accumulate(slots.begin(), slots.end(), std::int64_t{0}) > limit) fail("it uses slots that are far too high");
  }

  void check_node(int id) const {
    const Node& node = capture_.nodes[id];
    std::string owner = fmt::format("node {}", id);
    for (GradEdge edge : node.next) check_edge(edge, id, owner);
    if (!node.gradient_flops.empty() && node.gradient_flops.size() != node.next.size())
      fail(owner + " has a different number of gradient_flops than of edges");
    bool accumulates = node.role == Role::parameter || node.role == Role::leaf;
    if (accumulates && !node.next.empty()) fail(owner + " accumulates a gradient but also sends one on");
  }

  // Each parameter that has a node has a place in DDP's order.
  void check_parameters_once() const {
    std::vector<bool> has_node(capture_.parameters.size());
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      if (node.role != Role::parameter) continue;
      std::string owner = fmt::format("node {}", id);
      if (node.parameter == none) fail(owner + " does not say which parameter's gradient it accumulates");
      const Parameter& parameter = capture_.parameters[node.parameter];
      if (!parameter.requires_grad) fail(owner + " accumulates the gradient of a frozen parameter");
      if (parameter.ignored) fail(owner + " belongs to a parameter that DDP ignores, but is not a leaf");
      if (has_node[node.parameter]) fail(owner + " is a second node of its parameter");
      has_node[node.parameter] = true;
    }
  }

  void check_regions() const {
    std::vector<int> region_of(capture_.nodes.size(), none);
    for (std::size_t id = 0; id < capture_.regions.size(); ++id) {
      const Region& region = capture_.regions[id];
      claim(region_of, region.begin, Role::region_begin, static_cast<int>(id));
      claim(region_of, region.end, Role::region_end, static_cast<int>(id));
      int outputs = static_cast<int>(capture_.nodes[region.end].next.size());
      for (int slot : region.nested_outputs)
        if (slot >= outputs) fail(fmt::format("{} has no output {}", words(id), slot));
      if (region.parent >= static_cast<int>(id)) fail(words(id) + " comes before its parent");
    }
    check_nesting(region_of);
  }

  static std::string words(std::size_t region) { return fmt::format("region {}", region); }

  void claim(std::vector<int>& region_of, int node, Role role, int region) const {
    if (capture_.nodes[node].role != role) fail(words(region) + " has no boundary nodes");
    if (region_of[node] != none) fail(words(region) + " shares a boundary node");
    region_of[node] = region;
  }

  void check_nesting(const std::vector<int>& region_of) const {
    std::vector<int> open;
    for (int id = 0; id < node_count(); ++id) {
      Role role = capture_.nodes[id].role;
      if (role != Role::region_begin && role != Role::region_end) continue;
      int region = region_of[id];
      if (region == none) fail(fmt::format("node {} is a boundary that belongs to no region", id));
      int around = open.empty() ? none : open.back();
      if (role == Role::region_end) {
        if (around != region) fail(words(region) + " ends where it has not begun");
        open.pop_back();
      } else {
        if (capture_.regions[region].parent != around) fail(words(region) + " is not inside its parent");
        open.push_back(region);
      }
    }
    if (!open.empty()) fail(words(open.back()) + " has no end after its beginning");
  }

  // Nothing outside a region may point into it: only its end node does. A region's begin node belongs to the scope around the
  // region as the source of edges, and to its inside as a target.
  void check_scopes() const {
    std::vector<int> innermost = innermost_regions(capture_);
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      int scope = node.role == Role::region_begin ? capture_.regions[innermost[id]].parent : innermost[id];
      for (GradEdge edge : node.next)
        if (edge.node != none && !visible(edge.node, scope, innermost)) fail(fmt::format("node {} points into a region", id));
    }
    for (const Output& output : capture_.outputs)
      if (output.edge.node != none && !visible(output.edge.node, none, innermost)) fail("an output is inside a region");
  }

  bool visible(int target, int scope, const std::vector<int>& innermost) const {
    Role role = capture_.nodes[target].role;
    if (role == Role::parameter || role == Role::leaf) return true;
    int home = innermost[target];
    if (role == Role::region_end) home = capture_.regions[home].parent;
    while (scope != none && scope != home) scope = capture_.regions[scope].parent;
    return scope == home;
  }

  // Reports show sums of these amounts, in which whatever is in a region counts once more for every region around it.
  void check_sums() const {
    Amounts bytes, flops{capture_.constant_flops};
    std::vector<std::int64_t> depth;
    for (const Region& region : capture_.regions) {
      depth.push_back(region.parent == none ? 1 : depth[region.parent] + 1);
      flops.add(region.constant_flops);
    }
    std::int64_t deepest = depth.empty() ? 0 : *std::max_element(depth.begin(), depth.end());
    for (const Node& node : capture_.nodes) {
      for (int storage : node.saved) bytes.add(capture_.storages[storage].bytes);
      flops.add(node.forward_flops);
      for (std::int64_t each : node.gradient_flops) flops.add(each);
    }
    if (!bytes.fit(deepest)) fail("it saves more bytes than 64 bits can count");
    if (!flops.fit(deepest)) fail("it has more FLOPs than 64 bits can count");
    check_parameter_sizes();
  }

  // Gradients, buckets and an optimizer's state are as large again each.
  void check_parameter_sizes() const {
    Amounts bytes;
    for (const Parameter& parameter : capture_.parameters) {
      std::optional<std::int64_t> size = size_of(parameter.dtype);
      if (!size) fail("parameter " + parameter.name + " has the unknown dtype \"" + parameter.dtype + "\"");
      for (std::int64_t extent : parameter.shape)
        if (__builtin_mul_overflow(*size, extent, &*size)) fail("parameter " + parameter.name + " is larger than any memory");
      bytes.add(*size);
    }
    if (!bytes.fit(4)) fail("its parameters are larger than any memory");
  }

  bool is_boundary(int node) const {
    Role role = capture_.nodes[node].role;
    return role == Role::region_begin || role == Role::region_end;
  }

  const Capture& capture_;
  const std::string& subject_;
};

}  // namespace

std::vector<int> ddp_order(const Capture& capture) {
  std::vector<int> order;
  for (std::size_t id = 0; id < capture.parameters.size(); ++id)
    if (capture.parameters[id].requires_grad && !capture.parameters[id].ignored) order.push_back(static_cast<int>(id));
  return order;
}

std::vector<int> ddp_indices(const Capture& capture) {
  std::vector<int> indices(capture.parameters.size(), none);
  int next = 0;
  for (int id : ddp_order(capture)) indices[id] = next++;
  return indices;
}

std::string ddp_name(const Parameter& parameter) {
  std::string name = parameter.aliases.empty() ? parameter.name : parameter.aliases.back();
  if (!parameter.ddp_name.empty()) name = parameter.ddp_name;
  return name.find('.') == std::string::npos ? "." + name : name;
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

GradEdge nested_output_edge(const Capture& capture, const Region& region, int slot) {
  const std::vector<GradEdge>& outputs = capture.nodes[region.end].next;
  GradEdge inside = outputs[slot];
  if (inside.node == none || inside.node < region.begin) return inside;
  if (inside.node == region.begin) return capture.nodes[region.begin].next[inside.slot];
  for (std::size_t other = 0; other < outputs.size(); ++other) {
    bool nested = std::count(region.nested_outputs.begin(), region.nested_outputs.end(), static_cast<int>(other)) > 0;
    bool same = outputs[other].node == inside.node && outputs[other].slot == inside.slot;
    if (same && !nested) return {region.end, static_cast<int>(other)};
  }
  return {};
}

std::int64_t element_size(std::string_view dtype) {
  if (std::optional<std::int64_t> size = size_of(dtype)) return *size;
  throw Error(Failure::not_a_model, "", fmt::format("unknown dtype \"{}\"", dtype),
              "use one of torch's names, such as float32");
}

std::string_view to_string(Kind kind) {
  return forms::word_of(kind);
}

std::string_view to_string(Role role) {
  return forms::word_of(role);
}

std::string_view to_string(Mismatch mismatch) {
  return forms::word_of(mismatch);
}

std::string_view to_string(RegionOrigin origin) {
  return forms::word_of(origin);
}

std::string_view to_string(InputOrigin origin) {
  return forms::word_of(origin);
}

std::vector<Capture> graphs_of(Capture capture) {
  std::vector<Capture> graphs{capture};
  for (Capture& further : capture.further) {
    graphs.push_back(std::move(further));
    graphs.back().model = fmt::format("{}, graph {}", capture.model, graphs.size());
  }
  return graphs;
}

void validate(const Capture& capture, const std::string& subject) {
  Validator(capture, subject).run();
}

}  // namespace gradscan
