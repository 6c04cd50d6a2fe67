// What torch keeps and recomputes for checkpointed regions, worked out from a capture.
//
// A frame is what one checkpointed call encloses: the nodes of its region except for those of checkpointed regions inside it,
// which have their own frames. Forward keeps what the nodes outside all frames save, and the tensor arguments of the outermost
// checkpointed regions. Recomputing a region restores what the nodes of its frame save, and the arguments of the checkpointed
// regions directly inside; these are recomputed one after the other later, while all of that is still alive. A storage that is
// saved before the region begins, or as its argument, is alive anyway; one that is first saved inside is created a second time,
// even if something outside still holds the first.
//
// Recomputing a reentrant region takes its whole forward. Recomputing a non-reentrant region stops once it has saved as many
// tensors as forward did: at the last node of its frame that saves any, or at the arguments of a region inside. Matrix products
// and convolutions save before they compute, so if one comes last, its own work is left out; attention saves what it has
// computed; a non-reentrant region inside saves its arguments before its forward, a reentrant one after it.
//
// A region is recomputed when backward first needs one of its tensors. Nodes that have nothing left to differentiate behind
// them under the kind of checkpointing save nothing, see GradGraph. Everything is linear in nodes and edges.
#include "gradscan/price.h"

#include <algorithm>
#include <cmath>

#include "analyzer/base/sort_unique.h"
#include "gradscan/error.h"
#include "gradscan/graph.h"

namespace gradscan {
namespace {

// The vertices that a backward from these outputs would reach, in the outer graph and inside reentrant regions.
std::vector<bool> reach(const Capture& capture, const GradGraph& graph, bool loss_only) {
  std::vector<bool> reached(capture.nodes.size());
  std::vector<int> stack;
  auto push = [&](int vertex) {
    if (vertex == none || reached[vertex]) return;
    reached[vertex] = true;
    stack.push_back(vertex);
  };
  for (const Output& output : capture.outputs)
    if (output.in_loss || !loss_only) push(graph.target(output.edge));
  while (!stack.empty()) {
    int vertex = stack.back();
    stack.pop_back();
    auto [first, last] = boost::adjacent_vertices(static_cast<std::uint32_t>(vertex), graph.edges());
    for (auto next = first; next != last; ++next) push(static_cast<int>(*next));
    if (int region = graph.region_of(vertex); region != none)
      for (int root : graph.inner_roots(region)) push(root);
  }
  return reached;
}

// The price of one choice of checkpointing.
class Pricing {
 public:
  Pricing(const Capture& capture, Checkpointing checkpointing)
      : capture_(capture),
        checkpointing_(checkpointing),
        graph_(capture, checkpointing),
        alive_(reach(capture, graph_, false)),
        run_(reach(capture, graph_, true)),
        region_of_(innermost_regions(capture)),
        frames_(capture.regions.size()) {
    sum_forward();
    find_frames();
    add_what_nodes_save();
    add_what_regions_save();
    sum_bytes();
  }

  Price total() const {
    Price price{.outside = outside_, .forward_flops = work_before_.back() + capture_.constant_flops};
    price.backward_flops = backward_flops();
    for (int region = 0; region < region_count(); ++region) {
      price.recompute_flops += of_region(region).flops;
      if (frames_[region].outer != none || of_region(region).recomputed_bytes <= price.largest) continue;
      price.largest = of_region(region).recomputed_bytes;
      price.largest_region = region;
    }
    return price;
  }

  RegionPrice of_region(int region) const {
    const Frame& frame = frames_[region];
    if (!frame.recomputed) return {};
    return {frame.bytes + frame.largest_inside, work_before_[frame.stop] - work_before_[capture_.regions[region].begin]};
  }

 private:
  struct Frame {
    bool checkpointed = false;
    int outer = none;                 // the innermost checkpointed region around this one
    bool held = false;                // whether anything that forward leaves behind holds its arguments
    bool recomputed = false;          // whether backward reaches it
    int stop = 0;                     // the first node that is not recomputed
    std::int64_t bytes = 0;           // of storages that the recomputation creates and saves
    std::int64_t largest_inside = 0;  // bytes that the most expensive region inside needs for its recomputation
  };

  int region_count() const { return static_cast<int>(capture_.regions.size()); }
  int node_count() const { return static_cast<int>(capture_.nodes.size()); }
  Kind kind(int region) const { return kind_under(checkpointing_, capture_.regions[region].kind); }
  bool exists(int node) const { return graph_.target({node, 0}) != none; }

  // The frame that a node's saved tensors belong to; none: the outer graph keeps them. A region's arguments belong to the frame
  // around it.
  int frame_of(int node) const {
    int region = region_of_[node];
    if (region == none) return none;
    return capture_.nodes[node].role != Role::region_begin && frames_[region].checkpointed ? region : frames_[region].outer;
  }

  // For each node, the forward work of all nodes before it, with a region's constant work at its beginning.
  void sum_forward() {
    work_before_.push_back(0);
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      bool begins = node.role == Role::region_begin;
      work_before_.push_back(work_before_.back() + node.forward_flops +
                             (begins ? capture_.regions[region_of_[id]].constant_flops : 0));
    }
  }

  // Parents precede their children.
  void find_frames() {
    for (int id = 0; id < region_count(); ++id) {
      Frame& frame = frames_[id];
      const Region& region = capture_.regions[id];
      frame.checkpointed = kind(id) != Kind::off;
      if (region.parent != none)
        frame.outer = frames_[region.parent].checkpointed ? region.parent : frames_[region.parent].outer;
      frame.stop = kind(id) == Kind::reentrant ? region.end : region.begin;
      if (kind(id) == Kind::reentrant && graph_.region_of(region.end) == id) {
        frame.held = alive_[region.end];
        frame.recomputed = run_[region.end];
      }
    }
  }

  // A node of the frame's region saves something: whatever comes before `stop` must be recomputed for it.
  void add_save(int frame, int stop, bool alive, bool run) {
    if (frame == none || kind(frame) == Kind::reentrant) return;
    frames_[frame].stop = std::max(frames_[frame].stop, stop);
    frames_[frame].held = frames_[frame].held || alive;
    frames_[frame].recomputed = frames_[frame].recomputed || run;
  }

  void add_what_nodes_save() {
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      if (node.role != Role::operation || !node.saves_tensors || !exists(id)) continue;
      bool saves_result = node.forward_flops == 0 || node.op.starts_with("ScaledDotProduct");
      add_save(frame_of(id), saves_result ? id + 1 : id, alive_[id], run_[id]);
    }
  }

  // The arguments of checkpointed regions. Children come before their parents here.
  void add_what_regions_save() {
    for (int id = region_count(); id-- > 0;) {
      const Region& region = capture_.regions[id];
      const Frame& frame = frames_[id];
      bool reentrant = kind(id) == Kind::reentrant;
      bool saves = reentrant ? graph_.region_of(region.end) == id : !capture_.nodes[region.begin].next.empty();
      if (frame.checkpointed && saves)
        add_save(frame.outer, reentrant ? region.end + 1 : region.begin, frame.held, frame.recomputed);
    }
  }

  bool keeps(int node) const {
    if (capture_.nodes[node].role == Role::operation) return alive_[node];
    return capture_.nodes[node].role == Role::region_begin && frames_[region_of_[node]].held;
  }

  void sum_bytes() {
    std::vector<int> made_at(capture_.storages.size(), none);
    std::vector<std::pair<int, int>> kept;  // a frame and a storage
    for (int id = 0; id < node_count(); ++id)
      for (int storage : capture_.nodes[id].saved) {
        if (made_at[storage] == none) made_at[storage] = id;
        if (capture_.storages[storage].activation && keeps(id)) kept.emplace_back(frame_of(id), storage);
      }
    sort_unique(kept);
    for (auto [frame, storage] : kept) {
      if (frame == none)
        outside_ += capture_.storages[storage].bytes;
      else if (made_at[storage] > capture_.regions[frame].begin)
        frames_[frame].bytes += capture_.storages[storage].bytes;
    }
    for (int id = region_count(); id-- > 0;)
      if (int outer = frames_[id].outer; outer != none)
        frames_[outer].largest_inside = std::max(frames_[outer].largest_inside, of_region(id).recomputed_bytes);
  }

  std::int64_t backward_flops() const {
    std::int64_t flops = 0;
    for (int id = 0; id < node_count(); ++id) {
      const Node& node = capture_.nodes[id];
      if (!run_[id]) continue;
      for (std::size_t k = 0; k < node.gradient_flops.size(); ++k)
        if (graph_.target(node.next[k]) != none) flops += node.gradient_flops[k];
    }
    return flops;
  }

  const Capture& capture_;
  Checkpointing checkpointing_;
  GradGraph graph_;
  std::vector<bool> alive_;  // per node: whether forward's results hold it
  std::vector<bool> run_;    // per node: whether the loss's backward runs it
  std::vector<int> region_of_;
  std::vector<Frame> frames_;              // per region
  std::vector<std::int64_t> work_before_;  // per node, and one past the last: the forward work of all before it
  std::int64_t outside_ = 0;
};

// Sums of two such numbers still fit into 64 bits.
constexpr double most = 4e18;

std::int64_t times(std::int64_t value, double factor) {
  double product = static_cast<double>(value) * factor;
  if (product > most)
    throw Error(Failure::limit, "--batch", "the bytes or FLOPs of so large a batch exceed 64 bits", "use a smaller one");
  return std::llround(product);
}

std::int64_t bytes_of(const Parameter& parameter) {
  std::int64_t bytes = element_size(parameter.dtype);
  for (std::int64_t extent : parameter.shape) bytes *= extent;
  return bytes;
}

// Torch's optimizers create their state in the first step, from tensors like the parameters; Adam's step count is a tensor of
// one float32.
std::int64_t state_of(Optimizer optimizer, std::int64_t gradient_bytes, std::int64_t parameters) {
  switch (optimizer) {
    case Optimizer::sgd:
      return 0;
    case Optimizer::sgd_momentum:
      return gradient_bytes;
    case Optimizer::adam:
      return 2 * gradient_bytes + parameters * element_size("float32");
  }
  return 0;
}

}  // namespace

Price price(const Capture& capture, Checkpointing checkpointing) {
  return Pricing(capture, checkpointing).total();
}

std::vector<RegionPrice> region_prices(const Capture& capture, Checkpointing checkpointing) {
  Pricing pricing(capture, checkpointing);
  std::vector<RegionPrice> prices;
  for (std::size_t id = 0; id < capture.regions.size(); ++id) prices.push_back(pricing.of_region(static_cast<int>(id)));
  return prices;
}

std::optional<std::int64_t> batch_size(const Capture& capture) {
  std::optional<std::int64_t> batch;
  for (const Input& input : capture.inputs) {
    if (input.shape.empty()) continue;
    if (batch && *batch != input.shape.front()) return std::nullopt;
    batch = input.shape.front();
  }
  return batch;
}

Price scaled(Price price, double factor) {
  for (std::int64_t* value :
       {&price.outside, &price.largest, &price.forward_flops, &price.backward_flops, &price.recompute_flops})
    *value = times(*value, factor);
  return price;
}

FixedMemory fixed_memory(const Capture& capture, const Setup& setup, std::optional<Optimizer> optimizer) {
  FixedMemory memory;
  std::int64_t trained = 0;
  for (const Parameter& parameter : capture.parameters) {
    memory.parameters += bytes_of(parameter);
    if (!parameter.requires_grad) continue;
    memory.gradients += bytes_of(parameter);
    if (!parameter.ignored && !setup.gradient_as_bucket_view) memory.buckets += bytes_of(parameter);
    ++trained;
  }
  if (optimizer) memory.optimizer = state_of(*optimizer, memory.gradients, trained);
  return memory;
}

}  // namespace gradscan
