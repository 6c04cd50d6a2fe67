#include "analyzer/replay/skeleton.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "analyzer/torch_adapter.h"

namespace gradscan {

using torch::autograd::AccumulateGrad;
using torch::autograd::Edge;
using torch::autograd::variable_list;

namespace {

// The two values of a gradient. Each is held here, too, so that no one who receives it takes it for his own and adds to it.
struct Units {
  at::Tensor zero = at::zeros({1}), one = at::ones({1});

  at::Tensor of(const at::Tensor& gradient) const { return *gradient.const_data_ptr<float>() == 0 ? zero : one; }
};

at::Tensor new_leaf(const Units& units) {
  return units.one.detach().set_requires_grad(true);
}

Edge accumulator_of(const at::Tensor& leaf) {
  return {torch::autograd::impl::grad_accumulator(leaf), 0};
}

void add_inputs(torch::autograd::Node& node, int count, const at::Tensor& like) {
  for (int i = 0; i < count; ++i) node.add_input_metadata(like);
}

bool any_valid(const GradientEdges& edges) {
  return std::any_of(edges.begin(), edges.end(), [](const Edge& edge) { return edge.is_valid(); });
}

// Whether a node's saved tensors have been freed in this iteration.
class Saved {
 public:
  explicit Saved(const int& iteration) : iteration_(iteration) {}
  void release() { released_in_ = iteration_; }
  void check() const { TORCH_CHECK(released_in_ != iteration_, torch::autograd::ERR_BACKWARD_TWICE); }

 private:
  const int& iteration_;
  int released_in_ = none;
};

// The backward node of an operation.
class Operation : public torch::autograd::Node {
 public:
  Operation(GradientEdges next, int inputs, bool saves_tensors, const Units& units, const int& iteration)
      : Node(std::move(next)), units_(units), saves_tensors_(saves_tensors), saved_(iteration) {
    add_inputs(*this, inputs, units.one);
  }

  void release_variables() override {
    if (saves_tensors_) saved_.release();
  }

 protected:
  variable_list apply(variable_list&& gradients) override {
    saved_.check();
    return variable_list(num_outputs(), sum(gradients));
  }

 private:
  at::Tensor sum(const variable_list& gradients) const {
    at::Tensor result;
    for (const at::Tensor& gradient : gradients)
      if (gradient.defined() && !result.is_same(units_.one)) result = units_.of(gradient);
    return result;
  }

  const Units& units_;
  bool saves_tensors_;
  Saved saved_;
};

class Sink : public torch::autograd::Node {
 public:
  Sink(const GradientEdges& next, std::function<void()> on_backward)
      : Node(GradientEdges(next)), on_backward_(std::move(on_backward)) {
    add_inputs(*this, static_cast<int>(next.size()), at::zeros({1}));
  }

 protected:
  variable_list apply(variable_list&& gradients) override {
    on_backward_();
    return std::move(gradients);
  }

 private:
  std::function<void()> on_backward_;
};

// What all nodes of a skeleton share.
struct Model {
  Model(const Capture& capture, Checkpointing checkpointing);

  bool reentrant(int region) const {
    return kind_under(checkpointing, capture.regions[region].kind) == Kind::reentrant;
  }

  const Capture& capture;
  const Checkpointing checkpointing;
  Units units;
  std::vector<int> region_of_boundary;  // by captured node
  std::vector<int> inputs;              // by captured node: how many slots others send gradients to
  std::vector<Edge> accumulators;       // by position in Capture::parameters; invalid for frozen ones
  std::vector<at::Tensor> parameters;   // in DDP's order
  int iteration = 0;
  Causes causes;                       // of the firings since they were last taken
  std::vector<float> local_gradients;  // by DDP index: the sum of what has been accumulated since zero_grad()
  int running = none;                  // the region whose inner backward is running
};

// The nodes of one stretch of the capture: the whole of it, or the inside of a reentrant region. It owns them, and gives them
// up from the last to the first: a node goes when nobody needs it any more, so freeing a graph never recurses.
class Scope {
 public:
  // `outer` is what closures see; it must outlive this.
  Scope(Model& model, const Scope* outer, int first) : model_(model), outer_(outer), first_(first) {}
  ~Scope() {
    while (!nodes_.empty()) nodes_.pop_back();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Builds the nodes from `from` to before `to`.
  void build(int from, int to);

  void set_boundary(int node, GradientEdges slots) { boundaries_[node] = std::move(slots); }

  // Where a gradient sent along the captured edge arrives.
  Edge resolve(GradEdge edge) const;
  GradientEdges resolve(const std::vector<GradEdge>& edges) const;

 private:
  int build_node(int id);
  int build_begin(int id, int region);

  Model& model_;
  const Scope* outer_;
  int first_;
  std::vector<NodePtr> nodes_;  // by captured node, from first_; nullptr if it has none
  std::unordered_map<int, GradientEdges> boundaries_;
};

// The node that stands for a reentrant region in the graph outside.
class CheckpointNode : public torch::autograd::Node {
 public:
  CheckpointNode(Model& model, const Scope& outer, int region, GradientEdges arguments, int outputs)
      : Node(std::move(arguments)), model_(model), outer_(outer), region_(region), saved_(model.iteration) {
    add_inputs(*this, outputs, model.units.one);
  }

  void release_variables() override { saved_.release(); }

 protected:
  variable_list apply(variable_list&& gradients) override;

 private:
  void build_inner();
  void run_inner_backward(const variable_list& gradients);

  Model& model_;
  const Scope& outer_;
  int region_;
  Saved saved_;
  std::vector<at::Tensor> arguments_;  // the detached copies; undefined for those that do not require grad
  std::unique_ptr<Scope> inner_;
};

class RunningRegion {
 public:
  RunningRegion(int& running, int region) : running_(running), before_(std::exchange(running, region)) {}
  ~RunningRegion() { running_ = before_; }
  RunningRegion(const RunningRegion&) = delete;
  RunningRegion& operator=(const RunningRegion&) = delete;

 private:
  int& running_;
  int before_;
};

class RecordFiring : public torch::autograd::FunctionPostHook {
 public:
  RecordFiring(Model& model, int index) : model_(model), index_(index) {}

  variable_list operator()(const variable_list& outputs, const variable_list& gradients) override {
    model_.causes[index_].push_back(model_.running);
    if (gradients[0].defined()) model_.local_gradients[index_] += *gradients[0].const_data_ptr<float>();
    return outputs;
  }

 private:
  Model& model_;
  int index_;
};

Model::Model(const Capture& capture, Checkpointing checkpointing)
    : capture(capture),
      checkpointing(checkpointing),
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
  for (int id : ddp_order(capture)) {
    int index = static_cast<int>(parameters.size());
    parameters.push_back(new_leaf(units));
    accumulators[id] = accumulator_of(parameters.back());
    accumulators[id].function->add_post_hook(std::make_unique<RecordFiring>(*this, index));
  }
  causes.resize(parameters.size());
  local_gradients.resize(parameters.size());
}

Edge Scope::resolve(GradEdge edge) const {
  if (edge.node == none) return {};
  const Node& target = model_.capture.nodes[edge.node];
  if (target.role == Role::parameter) return model_.accumulators[target.parameter];
  const Scope* scope = this;
  while (edge.node < scope->first_) scope = scope->outer_;
  if (model_.region_of_boundary[edge.node] != none) return scope->boundaries_.at(edge.node)[edge.slot];
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

// Returns the captured node to go on with.
int Scope::build_node(int id) {
  const Node& node = model_.capture.nodes[id];
  switch (node.role) {
    case Role::parameter:
      break;
    case Role::leaf:
      nodes_[id - first_] = accumulator_of(new_leaf(model_.units)).function;
      break;
    case Role::region_begin:
      return build_begin(id, model_.region_of_boundary[id]);
    case Role::region_end:
      set_boundary(id, resolve(node.next));
      break;
    case Role::operation:
      if (GradientEdges next = resolve(node.next); any_valid(next))
        nodes_[id - first_] =
            make_node<Operation>(std::move(next), model_.inputs[id], node.saves_tensors, model_.units, model_.iteration);
  }
  return id + 1;
}

int Scope::build_begin(int id, int region_id) {
  const Region& region = model_.capture.regions[region_id];
  GradientEdges arguments = resolve(model_.capture.nodes[id].next);
  if (!model_.reentrant(region_id)) {
    set_boundary(id, std::move(arguments));
    return id + 1;
  }
  int outputs = static_cast<int>(model_.capture.nodes[region.end].next.size());
  GradientEdges slots(outputs);
  if (any_valid(arguments)) {
    auto node = make_node<CheckpointNode>(model_, *this, region_id, std::move(arguments), outputs);
    for (int slot = 0; slot < outputs; ++slot) slots[slot] = Edge(node, slot);
    nodes_[region.end - first_] = std::move(node);
  }
  for (int slot : region.nested_outputs) slots[slot] = Edge();
  set_boundary(region.end, std::move(slots));
  for (int slot : region.nested_outputs)
    boundaries_[region.end][slot] = resolve(nested_output_edge(model_.capture, region, slot));
  return region.end + 1;
}

void CheckpointNode::build_inner() {
  const Region& region = model_.capture.regions[region_];
  GradientEdges edges;
  for (const Edge& outside : next_edges()) {
    arguments_.push_back(outside.is_valid() ? new_leaf(model_.units) : at::Tensor());
    edges.push_back(outside.is_valid() ? accumulator_of(arguments_.back()) : Edge());
  }
  inner_ = std::make_unique<Scope>(model_, &outer_, region.begin);
  inner_->set_boundary(region.begin, std::move(edges));
  inner_->build(region.begin + 1, region.end);
}

variable_list CheckpointNode::apply(variable_list&& gradients) {
  saved_.check();
  if (!inner_) build_inner();
  for (const at::Tensor& argument : arguments_)
    if (argument.defined()) argument.mutable_grad().reset();
  run_inner_backward(gradients);
  variable_list result;
  for (const at::Tensor& argument : arguments_) result.push_back(argument.defined() ? argument.grad() : at::Tensor());
  return result;
}

// Starts at all outputs that require grad in the recomputation; those that the loss does not use get a zero.
void CheckpointNode::run_inner_backward(const variable_list& gradients) {
  const Region& region = model_.capture.regions[region_];
  GradientEdges roots = inner_->resolve(model_.capture.nodes[region.end].next);
  for (int slot : region.nested_outputs) roots[slot] = Edge();
  variable_list root_gradients;
  for (std::size_t slot = 0; slot < roots.size(); ++slot)
    if (roots[slot].is_valid())
      root_gradients.push_back(gradients[slot].defined() ? model_.units.of(gradients[slot]) : model_.units.zero);
  roots.erase(std::remove_if(roots.begin(), roots.end(), [](const Edge& edge) { return !edge.is_valid(); }), roots.end());
  TORCH_CHECK(!roots.empty(), "none of output has requires_grad=True, this checkpoint() is not necessary");
  RunningRegion running(model_.running, region_);
  torch::autograd::Engine::get_default_engine().execute(roots, root_gradients, /*keep_graph=*/false, /*create_graph=*/false,
                                                        /*accumulate_grad=*/true);
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
  State(const Capture& capture, Checkpointing checkpointing) : model(capture, checkpointing) {}

  Model model;
  std::unique_ptr<Scope> graph;
};

Skeleton::Skeleton(const Capture& capture, Checkpointing checkpointing)
    : state_(std::make_unique<State>(capture, checkpointing)) {}

Skeleton::~Skeleton() = default;

const std::vector<at::Tensor>& Skeleton::parameters() const {
  return state_->model.parameters;
}

GradientEdges Skeleton::forward() {
  const Capture& capture = state_->model.capture;
  ++state_->model.iteration;
  if (!state_->graph) {
    state_->graph = std::make_unique<Scope>(state_->model, nullptr, 0);
    state_->graph->build(0, static_cast<int>(capture.nodes.size()));
  }
  GradientEdges outputs;
  for (const Output& output : capture.outputs) outputs.push_back(state_->graph->resolve(output.edge));
  return outputs;
}

void Skeleton::backward(const GradientEdges& loss) {
  const Units& units = state_->model.units;
  at::Tensor tensor = at::zeros({1});
  if (any_valid(loss)) {
    auto root = make_node<Operation>(GradientEdges(loss), 1, false, units, state_->model.iteration);
    torch::autograd::impl::set_gradient_edge(tensor, {root, 0});
  }
  torch::autograd::backward({tensor}, {units.one});
}

Causes Skeleton::take_causes() {
  Causes causes = std::exchange(state_->model.causes, Causes(parameters().size()));
  for (std::vector<int>& of_parameter : causes) std::sort(of_parameter.begin(), of_parameter.end());
  return causes;
}

const std::vector<float>& Skeleton::local_gradients() const {
  return state_->model.local_gradients;
}

std::vector<float> Skeleton::gradients() const {
  std::vector<float> values;
  for (const at::Tensor& parameter : parameters())
    values.push_back(parameter.grad().defined() ? *parameter.grad().const_data_ptr<float>() : 0.0f);
  return values;
}

void Skeleton::zero_grad() {
  for (const at::Tensor& parameter : parameters()) parameter.mutable_grad().reset();
  state_->model.local_gradients.assign(parameters().size(), 0.0f);
}

}  // namespace gradscan
