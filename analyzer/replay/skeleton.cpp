#include "analyzer/replay/skeleton.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "analyzer/torch/torch_adapter.h"

namespace gradscan {

using torch::autograd::AccumulateGrad;
using torch::autograd::Edge;
using torch::autograd::variable_list;

namespace {

at::Tensor new_leaf(const Units& units) {
  return units.one.detach().set_requires_grad(true);
}

Edge accumulator_of(const at::Tensor& leaf) {
  return {torch::autograd::impl::grad_accumulator(leaf), 0};
}

bool any_valid(const GradientEdges& edges) {
  return std::any_of(edges.begin(), edges.end(), [](const Edge& edge) { return edge.is_valid(); });
}

// What all nodes of a skeleton share.
struct Model {
  Model(std::size_t parameters_that_require_grad, Checkpointing checkpointing, OnFiring on_firing);

  const Checkpointing checkpointing;
  const OnFiring on_firing;
  Units units;
  std::vector<at::Tensor> parameters;  // in DDP's order
  std::vector<Edge> accumulators;      // likewise
  Cause running = outer_graph;         // the cause of the backward that is running
};

// One of the captures, prepared for building its graph.
struct Topology {
  // `first_region`: the number of its first region in causes.
  Topology(const Capture& capture, int first_region, Model& model);

  bool reentrant(int region) const { return kind_under(model.checkpointing, capture.regions[region].kind) == Kind::reentrant; }

  const Capture& capture;
  int first_region;
  Model& model;
  std::vector<int> region_of_boundary;  // by captured node
  std::vector<int> inputs;              // by captured node: the number of slots that others send gradients to
  std::vector<Edge> accumulators;       // by position in Capture::parameters; invalid for frozen ones
};

// The nodes of one part of the capture: all of it, or the inside of a reentrant region. The scope owns them and releases them
// from the last to the first: when a node is freed, nothing refers to it any more, so freeing a graph never recurses.
class Scope {
 public:
  // `outer` is the scope that closures refer to; it must outlive this.
  Scope(const Topology& topology, const Scope* outer, int first) : topology_(topology), outer_(outer), first_(first) {}
  ~Scope() {
    while (!nodes_.empty()) nodes_.pop_back();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Builds the nodes from `from` up to, but not including, `to`.
  void build(int from, int to);

  void set_boundary(int node, GradientEdges slots) { boundaries_[node] = std::move(slots); }

  const std::shared_ptr<Recording>& recording() { return recording_; }

  // Where a gradient sent along the captured edge arrives.
  Edge resolve(GradEdge edge) const;
  GradientEdges resolve(const std::vector<GradEdge>& edges) const;

 private:
  int build_node(int id);
  NodePtr build_operation(int id);
  int build_begin(int id, int region);

  const Topology& topology_;
  const Scope* outer_;
  int first_;
  std::shared_ptr<Recording> recording_ = std::make_shared<Recording>();
  std::vector<NodePtr> nodes_;  // by captured node, from first_; nullptr if there is none
  std::unordered_map<int, GradientEdges> boundaries_;
};

// The node that stands for a reentrant region in the graph outside.
class CheckpointNode : public torch::autograd::Node {
 public:
  CheckpointNode(const Topology& topology, Scope& outer, int region, GradientEdges arguments, int outputs)
      : Node(std::move(arguments)), topology_(topology), outer_(outer), region_(region), saved_(outer.recording()) {
    add_inputs(*this, outputs, topology.model.units.one);
  }

  void release_variables() override { saved_.release(); }

 protected:
  variable_list apply(variable_list&& gradients) override;

 private:
  void recompute();
  GradientEdges inner_outputs() const;

  const Topology& topology_;
  const Scope& outer_;
  int region_;
  Saved saved_;
  std::vector<at::Tensor> arguments_;  // the detached copies; undefined for arguments that do not require grad
  std::unique_ptr<Scope> inner_;
};

// The node that stands for a reentrant checkpoint around the whole DDP model.
class AroundNode : public torch::autograd::Node {
 public:
  AroundNode(Model& model, GradientEdges arguments, int outputs, std::function<GradientEdges()> forward)
      : Node(std::move(arguments)), model_(model), forward_(std::move(forward)) {
    add_inputs(*this, outputs, model.units.one);
  }

  void release_variables() override { released_ = true; }

 protected:
  variable_list apply(variable_list&& gradients) override;

 private:
  Model& model_;
  std::function<GradientEdges()> forward_;
  bool released_ = false;
};

class Running {
 public:
  Running(Cause& running, Cause cause) : running_(running), before_(std::exchange(running, cause)) {}
  ~Running() { running_ = before_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Cause& running_;
  Cause before_;
};

class RecordFiring : public torch::autograd::FunctionPostHook {
 public:
  RecordFiring(Model& model, int index) : model_(model), index_(index) {}

  variable_list operator()(const variable_list& outputs, const variable_list&) override {
    if (model_.on_firing) model_.on_firing({index_, model_.running});
    return outputs;
  }

 private:
  Model& model_;
  int index_;
};

Model::Model(std::size_t parameters_that_require_grad, Checkpointing checkpointing, OnFiring on_firing)
    : checkpointing(checkpointing), on_firing(std::move(on_firing)) {
  for (std::size_t index = 0; index < parameters_that_require_grad; ++index) {
    parameters.push_back(new_leaf(units));
    accumulators.push_back(accumulator_of(parameters.back()));
    accumulators.back().function->add_post_hook(std::make_unique<RecordFiring>(*this, static_cast<int>(index)));
  }
}

Topology::Topology(const Capture& capture, int first_region, Model& model)
    : capture(capture),
      first_region(first_region),
      model(model),
      region_of_boundary(capture.nodes.size(), none),
      inputs(capture.nodes.size(), 1),
      accumulators(capture.parameters.size()) {
  for (std::size_t region = 0; region < capture.regions.size(); ++region)
    for (int node : {capture.regions[region].begin, capture.regions[region].end})
      region_of_boundary[node] = static_cast<int>(region);
  auto count_input = [&](GradEdge edge) {
    if (edge.node != none) inputs[edge.node] = std::max(inputs[edge.node], edge.slot + 1);
  };
  for (const Node& node : capture.nodes) std::for_each(node.next.begin(), node.next.end(), count_input);
  for (const Output& output : capture.outputs) count_input(output.edge);
  std::vector<int> order = ddp_order(capture);
  for (std::size_t index = 0; index < order.size(); ++index) accumulators[order[index]] = model.accumulators[index];
}

Edge Scope::resolve(GradEdge edge) const {
  if (edge.node == none) return {};
  const Node& target = topology_.capture.nodes[edge.node];
  if (target.role == Role::parameter) return topology_.accumulators[target.parameter];
  const Scope* scope = this;
  while (edge.node < scope->first_) scope = scope->outer_;
  if (topology_.region_of_boundary[edge.node] != none) return scope->boundaries_.at(edge.node)[edge.slot];
  const NodePtr& node = scope->nodes_[edge.node - scope->first_];
  return node ? Edge(node, edge.slot) : Edge();
}

GradientEdges Scope::resolve(const std::vector<GradEdge>& edges) const {
  GradientEdges result;
  result.reserve(edges.size());
  for (GradEdge edge : edges) result.push_back(resolve(edge));
  return result;
}

void Scope::build(int from, int to) {
  nodes_.resize(to - first_);
  for (int id = from; id < to;) id = build_node(id);
}

// Returns the captured node to continue with.
int Scope::build_node(int id) {
  const Node& node = topology_.capture.nodes[id];
  switch (node.role) {
    case Role::parameter:
      break;
    case Role::leaf:
      nodes_[id - first_] = accumulator_of(new_leaf(topology_.model.units)).function;
      break;
    case Role::region_begin:
      return build_begin(id, topology_.region_of_boundary[id]);
    case Role::region_end:
      set_boundary(id, resolve(node.next));
      break;
    case Role::operation:
      nodes_[id - first_] = build_operation(id);
  }
  return id + 1;
}

NodePtr Scope::build_operation(int id) {
  const Node& node = topology_.capture.nodes[id];
  GradientEdges next = resolve(node.next);
  if (!any_valid(next)) return {};
  if (!node.saves_tensors) return make_node<Sum>(std::move(next), topology_.inputs[id], topology_.model.units);
  return make_node<Saving>(std::move(next), topology_.inputs[id], topology_.model.units, recording_);
}

int Scope::build_begin(int id, int region_id) {
  const Region& region = topology_.capture.regions[region_id];
  GradientEdges arguments = resolve(topology_.capture.nodes[id].next);
  if (!topology_.reentrant(region_id)) {
    set_boundary(id, std::move(arguments));
    return id + 1;
  }
  int outputs = static_cast<int>(topology_.capture.nodes[region.end].next.size());
  GradientEdges slots(outputs);
  if (any_valid(arguments)) {
    auto node = make_node<CheckpointNode>(topology_, *this, region_id, std::move(arguments), outputs);
    for (int slot = 0; slot < outputs; ++slot) slots[slot] = Edge(node, slot);
    nodes_[region.end - first_] = std::move(node);
  }
  for (int slot : region.nested_outputs) slots[slot] = Edge();
  set_boundary(region.end, std::move(slots));
  for (int slot : region.nested_outputs)
    boundaries_[region.end][slot] = resolve(nested_output_edge(topology_.capture, region, slot));
  return region.end + 1;
}

// The inner backward of a recomputed reentrant region. It starts at all outputs that require grad in the recomputation; those
// that the loss does not use get a zero.
void run_inner_backward(Model& model, Cause cause, const GradientEdges& outputs, const variable_list& gradients) {
  GradientEdges roots;
  variable_list root_gradients;
  for (std::size_t slot = 0; slot < outputs.size(); ++slot) {
    if (!outputs[slot].is_valid()) continue;
    roots.push_back(outputs[slot]);
    root_gradients.push_back(gradients[slot].defined() ? model.units.of(gradients[slot]) : model.units.zero);
  }
  TORCH_CHECK(!roots.empty(), "none of output has requires_grad=True, this checkpoint() is not necessary");
  Running running(model.running, cause);
  torch::autograd::Engine::get_default_engine().execute(roots, root_gradients, /*keep_graph=*/false, /*create_graph=*/false,
                                                        /*accumulate_grad=*/true);
}

// Every recomputation creates a new graph. Here it reuses the same nodes, which hold new saved tensors.
void CheckpointNode::recompute() {
  if (inner_) {
    ++inner_->recording()->generation;
    return;
  }
  const Region& region = topology_.capture.regions[region_];
  GradientEdges edges;
  for (const Edge& outside : next_edges()) {
    arguments_.push_back(outside.is_valid() ? new_leaf(topology_.model.units) : at::Tensor());
    edges.push_back(outside.is_valid() ? accumulator_of(arguments_.back()) : Edge());
  }
  inner_ = std::make_unique<Scope>(topology_, &outer_, region.begin);
  inner_->set_boundary(region.begin, std::move(edges));
  inner_->build(region.begin + 1, region.end);
}

GradientEdges CheckpointNode::inner_outputs() const {
  const Region& region = topology_.capture.regions[region_];
  GradientEdges outputs = inner_->resolve(topology_.capture.nodes[region.end].next);
  for (int slot : region.nested_outputs) outputs[slot] = Edge();
  return outputs;
}

variable_list CheckpointNode::apply(variable_list&& gradients) {
  saved_.unpack();
  recompute();
  for (const at::Tensor& argument : arguments_)
    if (argument.defined()) argument.mutable_grad().reset();
  run_inner_backward(topology_.model, topology_.first_region + region_, inner_outputs(), gradients);
  variable_list result;
  for (const at::Tensor& argument : arguments_) result.push_back(argument.defined() ? argument.grad() : at::Tensor());
  return result;
}

variable_list AroundNode::apply(variable_list&& gradients) {
  TORCH_CHECK(!released_, torch::autograd::ERR_BACKWARD_TWICE);
  GradientEdges outputs;
  {
    at::AutoGradMode record(true);
    outputs = forward_();
  }
  run_inner_backward(model_, around_model, outputs, gradients);
  return variable_list(num_outputs(), model_.units.one);
}

}  // namespace

at::Tensor tensor_with(const Edge& edge) {
  at::Tensor tensor = at::zeros({1});
  if (has_grad_fn(edge)) torch::autograd::impl::set_gradient_edge(tensor, edge);
  return tensor;
}

bool has_grad_fn(const Edge& edge) {
  return edge.is_valid() && dynamic_cast<const AccumulateGrad*>(edge.function.get()) == nullptr;
}

GradientEdges sink_behind(const GradientEdges& edges, std::function<void()> on_backward) {
  if (!any_valid(edges)) return edges;
  GradientEdges result = edges;
  auto sink = make_node<Sink>(edges, std::move(on_backward));
  for (std::size_t slot = 0; slot < edges.size(); ++slot)
    if (has_grad_fn(edges[slot])) result[slot] = Edge(sink, static_cast<std::uint32_t>(slot));
  return result;
}

struct Skeleton::State {
  State(std::span<const Capture> captures, Checkpointing checkpointing, OnFiring on_firing)
      : model(ddp_order(captures.front()).size(), checkpointing, std::move(on_firing)) {
    int regions = 0;
    for (const Capture& capture : captures) {
      topologies.push_back(std::make_unique<Topology>(capture, regions, model));
      regions += static_cast<int>(capture.regions.size());
    }
  }

  Model model;
  std::vector<std::unique_ptr<Topology>> topologies;
  std::map<std::pair<int, int>, std::unique_ptr<Scope>> graphs;  // by capture and place in the loss
};

Skeleton::Skeleton(std::span<const Capture> captures, Checkpointing checkpointing, OnFiring on_firing)
    : state_(std::make_unique<State>(captures, checkpointing, std::move(on_firing))) {}

Skeleton::~Skeleton() = default;

const std::vector<at::Tensor>& Skeleton::parameters() const {
  return state_->model.parameters;
}

GradientEdges Skeleton::forward(int turn, int place, std::function<void()> recompute) {
  const Topology& topology = *state_->topologies[turn];
  std::unique_ptr<Scope>& graph = state_->graphs[{turn, place}];
  if (!graph) {
    graph = std::make_unique<Scope>(topology, nullptr, 0);
    graph->build(0, static_cast<int>(topology.capture.nodes.size()));
  }
  ++graph->recording()->generation;
  graph->recording()->recompute = std::move(recompute);
  GradientEdges outputs;
  for (const Output& output : topology.capture.outputs) outputs.push_back(graph->resolve(output.edge));
  return outputs;
}

GradientEdges Skeleton::checkpointed(int turn, std::function<GradientEdges()> forward) {
  Model& model = state_->model;
  const Capture& capture = state_->topologies[turn]->capture;
  GradientEdges edges(capture.outputs.size());
  for (std::size_t slot = 0; slot < edges.size(); ++slot)
    if (int parameter = passed_by_checkpoint(capture, capture.outputs[slot]); parameter != none)
      edges[slot] = state_->topologies[turn]->accumulators[parameter];
  if (!is_recorded_by_checkpoint(capture)) return edges;
  // Backward starts only at the outputs that the checkpoint sees.
  auto seen_outputs = [&capture, forward = std::move(forward)] {
    GradientEdges outputs = forward();
    for (std::size_t slot = 0; slot < outputs.size(); ++slot)
      if (!is_checkpoint_output(capture.outputs[slot])) outputs[slot] = Edge();
    return outputs;
  };
  auto node = make_node<AroundNode>(model, GradientEdges{accumulator_of(new_leaf(model.units))}, static_cast<int>(edges.size()),
                                    std::move(seen_outputs));
  for (std::size_t slot = 0; slot < edges.size(); ++slot)
    if (is_checkpoint_output(capture.outputs[slot])) edges[slot] = Edge(node, static_cast<std::uint32_t>(slot));
  return edges;
}

// Like Python's sum() of p.sum(): one addition after another, the last of which runs first in backward.
Edge Skeleton::sum_of(const std::vector<int>& parameters) const {
  const Model& model = state_->model;
  Edge sum;
  for (int index : parameters) {
    Edge term(make_node<Sum>(GradientEdges{model.accumulators[index]}, 1, model.units), 0);
    sum = Edge(make_node<Sum>(GradientEdges{sum, term}, 1, model.units), 0);
  }
  return sum;
}

at::Tensor Skeleton::loss(const GradientEdges& outputs, const OutsideUses& uses) const {
  const Units& units = state_->model.units;
  Edge loss = any_valid(outputs) ? Edge(make_node<Sum>(GradientEdges(outputs), 1, units), 0) : Edge();
  auto add = [&](const Edge& term) { loss = Edge(make_node<Sum>(GradientEdges{loss, term}, 1, units), 0); };
  if (!uses.plain.empty()) add(sum_of(uses.plain));
  if (!uses.times_zero.empty()) add(Edge(make_node<TimesZero>(GradientEdges{sum_of(uses.times_zero)}, 1, units), 0));
  return tensor_with(loss);
}

void Skeleton::backward(const at::Tensor& loss, bool keep_graph) {
  for (auto& [key, graph] : state_->graphs) graph->recording()->recomputed = false;
  torch::autograd::backward({loss}, {state_->model.units.one}, keep_graph);
}

std::vector<float> Skeleton::gradients() const {
  std::vector<float> values;
  for (const at::Tensor& parameter : parameters())
    values.push_back(parameter.grad().defined() ? *parameter.grad().const_data_ptr<float>() : 0.0f);
  return values;
}

void Skeleton::zero_grad(bool set_to_none) {
  for (const at::Tensor& parameter : parameters()) {
    if (set_to_none)
      parameter.mutable_grad().reset();
    else if (parameter.grad().defined())
      parameter.mutable_grad().zero_();
  }
}

}  // namespace gradscan
