#include "analyzer/capture/walk.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "analyzer/capture/ivalues.h"

namespace gradscan {
namespace {

using torch::autograd::AccumulateGrad;
using RawNode = torch::autograd::Node*;

// Region boundaries by their autograd node: {region, whether it is the region's end}.
using Boundaries = std::unordered_map<RawNode, std::pair<int, bool>>;

std::string dtype_of(const at::Tensor& tensor) {
  return std::string(c10::getDtypeNames(tensor.scalar_type()).first);
}

class Walk {
 public:
  Walk(const Model& model, const Inputs& inputs, const Recorder& recorder, Capture& capture)
      : recorder_(recorder), capture_(capture) {
    for (std::size_t k = 0; k < model.tensors.size(); ++k)
      parameters_[model.tensors[k].unsafeGetTensorImpl()] = static_cast<int>(k);
    for (const at::Tensor& tensor : model.tensors) alive_anyway(tensor);
    for (const at::Tensor& tensor : inputs.values) alive_anyway(tensor);
    for (const at::Tensor& buffer : model.module.buffers()) alive_anyway(buffer);
    for (std::size_t k = 0; k < recorder.regions().size(); ++k) {
      boundaries_[recorder.regions()[k].begin.get()] = {static_cast<int>(k), false};
      boundaries_[recorder.regions()[k].end.get()] = {static_cast<int>(k), true};
    }
  }

  void run(const Model& model, const c10::IValue& result) {
    collect_outputs(model, result);
    for (const auto& edge : output_edges_) visit(edge.function);
    for (const RecordedRegion& region : recorder_.regions()) {
      visit(region.begin);
      visit(region.end);
    }
    order();
    for (const NodePtr& node : nodes_) capture_.nodes.push_back(describe(node));
    describe_regions();
    add_constant_flops();
    for (std::size_t k = 0; k < output_edges_.size(); ++k) finish_output(capture_.outputs[k], output_edges_[k]);
  }

 private:
  void alive_anyway(const at::Tensor& tensor) {
    if (tensor.defined() && tensor.has_storage()) alive_anyway_.insert(tensor.storage().unsafeGetStorageImpl());
  }

  void collect_outputs(const Model& model, const c10::IValue& result) {
    for_each_tensor(result, "output", [&](const at::Tensor& tensor, const TensorPlace& place) {
      Output output{.path = place.path,
                    .dtype = dtype_of(tensor),
                    .shape = tensor.sizes().vec(),
                    .found_by_ddp = !place.in_object,
                    .behind_sink = !place.in_object,
                    .direct = place.top_level};
      capture_.outputs.push_back(std::move(output));
      output_edges_.push_back(tensor.requires_grad() ? torch::autograd::impl::gradient_edge(tensor) : torch::autograd::Edge());
    });
    const std::vector<Output>& stated = model.metadata.outputs;
    if (stated.size() != capture_.outputs.size()) return;
    for (std::size_t k = 0; k < stated.size(); ++k) {
      capture_.outputs[k].path = stated[k].path;
      capture_.outputs[k].found_by_ddp = stated[k].found_by_ddp;
      capture_.outputs[k].behind_sink = stated[k].behind_sink;
      capture_.outputs[k].direct = stated[k].direct;
    }
  }

  // Finds all nodes behind `root`.
  void visit(const NodePtr& root) {
    std::vector<NodePtr> stack{root};
    while (!stack.empty()) {
      NodePtr node = std::move(stack.back());
      stack.pop_back();
      if (!node || !seen_.insert(node.get()).second) continue;
      nodes_.push_back(node);
      for (const auto& edge : node->next_edges()) stack.push_back(edge.function);
    }
  }

  // The sort key of a node: parameters in their order, then other leaves, then all others in order of creation.
  std::tuple<int, std::uint64_t> place(RawNode node) const {
    if (auto* accumulate = dynamic_cast<AccumulateGrad*>(node)) {
      auto parameter = parameters_.find(accumulate->variable.unsafeGetTensorImpl());
      return parameter == parameters_.end() ? std::tuple(1, std::uint64_t{0}) : std::tuple(0, std::uint64_t(parameter->second));
    }
    return {2, node->sequence_nr()};
  }

  void order() {
    std::stable_sort(nodes_.begin(), nodes_.end(),
                     [&](const NodePtr& a, const NodePtr& b) { return place(a.get()) < place(b.get()); });
    std::vector<NodePtr> created = std::move(nodes_);
    nodes_.clear();
    for (const NodePtr& node : created) append(node);
    for (std::size_t k = 0; k < nodes_.size(); ++k) number_[nodes_[k].get()] = static_cast<int>(k);
  }

  // Appends a node after everything that its edges point to. That is almost always there already, but if the base of a view is
  // changed in place, torch creates the view's gradient function anew, and only once an operation uses the view.
  void append(const NodePtr& root) {
    std::vector<std::pair<NodePtr, std::size_t>> stack{{root, 0}};  // a node and the next of its edges to follow
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == 0 && !appended_.insert(node.get()).second) {
        stack.pop_back();
      } else if (next < node->num_outputs()) {
        NodePtr target = node->next_edge(next++).function;
        if (target && !appended_.contains(target.get())) stack.emplace_back(std::move(target), 0);
      } else {
        nodes_.push_back(node);
        stack.pop_back();
      }
    }
  }

  GradEdge edge(const torch::autograd::Edge& edge) const {
    if (!edge.function) return {};
    return {number_.at(edge.function.get()), static_cast<int>(edge.input_nr)};
  }

  Node describe(const NodePtr& node) {
    Node result;
    for (const auto& next : node->next_edges()) result.next.push_back(edge(next));
    if (auto* accumulate = dynamic_cast<AccumulateGrad*>(node.get())) {
      auto parameter = parameters_.find(accumulate->variable.unsafeGetTensorImpl());
      result.role = parameter == parameters_.end() ? Role::leaf : Role::parameter;
      if (result.role == Role::parameter) result.parameter = parameter->second;
    } else if (auto boundary = boundaries_.find(node.get()); boundary != boundaries_.end()) {
      auto [region, is_end] = boundary->second;
      result.role = is_end ? Role::region_end : Role::region_begin;
      result.module = recorder_.module_path(recorder_.regions()[region].module);
      result.source = recorder_.regions()[region].start.source;
      if (!is_end) result.saved = storage_numbers(recorder_.regions()[region].arguments);
    } else {
      describe_operation(node, result);
    }
    return result;
  }

  void describe_operation(const NodePtr& node, Node& result) {
    result.op = node->name();
    describe_flops(node, result);
    if (const RecordedOperation* operation = recorder_.operation_of(node->sequence_nr())) {
      result.module = recorder_.module_path(operation->module);
      result.source = operation->source;
    }
    auto saved = saved_tensors(node);
    if (!saved) {
      silent_about_saved_.insert(result.op);
      return;
    }
    result.saved = storage_numbers(*saved);
    result.saves_tensors = !saved->empty();
  }

  void describe_flops(const NodePtr& node, Node& result) {
    const RecordedFlops* recorded = recorder_.flops_of(node->sequence_nr());
    if (!recorded) return;
    has_node_.insert(recorded);
    result.forward_flops = recorded->flops.forward;
    result.gradient_flops = recorded->flops.gradients;
    result.gradient_flops.resize(result.next.size());
  }

  // Adds the FLOPs of operations that no gradient flows through.
  void add_constant_flops() {
    for (const RecordedFlops& recorded : recorder_.flops()) {
      if (has_node_.contains(&recorded)) continue;
      bool outside = recorded.region == none;
      (outside ? capture_.constant_flops : capture_.regions[recorded.region].constant_flops) += recorded.flops.forward;
    }
  }

  // The numbers of their storages, without repetition.
  std::vector<int> storage_numbers(const std::vector<at::Tensor>& tensors) {
    std::vector<int> numbers;
    for (const at::Tensor& tensor : tensors) {
      int storage = storage_number(tensor);
      if (storage != none && !std::count(numbers.begin(), numbers.end(), storage)) numbers.push_back(storage);
    }
    return numbers;
  }

  int storage_number(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage()) return none;
    auto* storage = tensor.storage().unsafeGetStorageImpl();
    auto [found, is_new] = storages_.try_emplace(storage, static_cast<int>(capture_.storages.size()));
    if (is_new) capture_.storages.push_back({static_cast<std::int64_t>(storage->nbytes()), !alive_anyway_.contains(storage)});
    return found->second;
  }

  void describe_regions() {
    for (const RecordedRegion& region : recorder_.regions()) {
      std::vector<std::string> dtypes;
      for (const at::Tensor& argument : region.arguments) dtypes.push_back(dtype_of(argument));
      capture_.regions.push_back({.name = region.start.name,
                                  .kind = region.start.kind,
                                  .parent = region.parent,
                                  .begin = number_.at(region.begin.get()),
                                  .end = number_.at(region.end.get()),
                                  .nested_outputs = region.nested_outputs,
                                  .source = region.start.source,
                                  .origin = region.start.origin,
                                  .place = region.start.place,
                                  .argument_dtypes = std::move(dtypes)});
    }
    for (const std::string& op : silent_about_saved_)
      capture_.notes.push_back(
          fmt::format("which tensors {} saves for backward is not known: saved memory may be more than shown", op));
  }

  void finish_output(Output& output, const torch::autograd::Edge& gradient) const {
    output.edge = edge(gradient);
    output.in_loss = output.edge.node != none;
  }

  const Recorder& recorder_;
  Capture& capture_;
  std::unordered_map<const at::TensorImpl*, int> parameters_;
  std::unordered_set<const c10::StorageImpl*> alive_anyway_;
  Boundaries boundaries_;
  std::vector<torch::autograd::Edge> output_edges_;
  std::vector<NodePtr> nodes_;
  std::unordered_set<RawNode> seen_;
  std::unordered_set<RawNode> appended_;
  std::unordered_map<RawNode, int> number_;
  std::unordered_map<const c10::StorageImpl*, int> storages_;
  std::unordered_set<const RecordedFlops*> has_node_;
  std::set<std::string> silent_about_saved_;
};

}  // namespace

void walk_graph(const Model& model, const Inputs& inputs, const Recorder& recorder, const c10::IValue& result,
                Capture& capture) {
  Walk(model, inputs, recorder, capture).run(model, result);
}

}  // namespace gradscan
