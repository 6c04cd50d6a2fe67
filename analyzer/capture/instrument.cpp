#include "analyzer/capture/instrument.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "analyzer/capture/ivalues.h"
#include "analyzer/capture/markers.h"
#include "analyzer/capture/recorder.h"
#include "analyzer/capture/source_regions.h"

namespace gradscan {
namespace {

using c10::IValue;
using torch::jit::Stack;

// --- The operators, as the interpreter runs them ------------------------------------------------------------------------
// An operator with a variable number of arguments finds that number on top of the stack.

// Runs `body` on the arguments; what it leaves in them is the operator's result. The recorder is nullptr outside a capture.
template <class Body>
torch::jit::Operation reporting(Body body) {
  return [body](Stack& stack) {
    auto count = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
    Recorder* recorder = Recorder::current();
    std::vector<IValue> values(stack.end() - count, stack.end());
    stack.resize(stack.size() - count);
    try {
      body(recorder, values);
    } catch (const MarkerError&) {
      if (recorder) recorder->failure = std::current_exception();
      throw;
    }
    stack.insert(stack.end(), values.begin(), values.end());
  };
}

// (module, tensors...) -> (tensors...)
void enter_module(Recorder* recorder, std::vector<IValue>& values) {
  IValue module = values.front();
  values.erase(values.begin());
  if (!recorder) return;
  std::vector<IValue*> arguments;
  for (IValue& value : values) arguments.push_back(&value);
  recorder->enter_module(&module.toObjectRef(), arguments);
}

// (result) -> (result)
void leave_module(Recorder* recorder, std::vector<IValue>& values) {
  if (recorder) recorder->leave_module(values.front());
}

MarkerError unmatched(const std::string& region, const std::string& problem) {
  return MarkerError(fmt::format("has a marker of region {} that {}", region, problem));
}

// (text, tensors: List[Tensor]) -> (token and tensors: List[Tensor])
void begin_marker_region(Recorder* recorder, std::vector<IValue>& values) {
  c10::List<at::Tensor> tensors = values[1].toTensorList();
  c10::List<at::Tensor> result;
  result.push_back(at::Tensor(at::zeros({0})));
  if (!recorder) {
    for (std::size_t k = 0; k < tensors.size(); ++k) result.push_back(tensors.get(k));
    values = {result};
    return;
  }
  BeginMarker marker = parse_begin_marker(values[0].toStringRef());
  if (marker.direct.size() != tensors.size())
    throw unmatched(marker.region, "describes a different number of tensors than it gets");
  const RecordedRegion* outer = recorder->open_region();
  if (!marker.parent.empty() && (!outer || outer->start.label != marker.parent))
    throw unmatched(marker.region, "is not inside region " + marker.parent);
  std::vector<at::Tensor> arguments;
  std::vector<bool> wanted;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    if (!marker.direct[k]) continue;
    arguments.push_back(tensors.get(k));
    wanted.push_back(marker.requires_grad[k]);
  }
  RegionStart start{marker.region, marker.name, marker.kind, marker.source, RegionOrigin::marker, marker.place};
  arguments = recorder->begin_region(std::move(start), std::move(arguments), wanted);
  auto next = arguments.begin();
  for (std::size_t k = 0; k < tensors.size(); ++k) result.push_back(marker.direct[k] ? *next++ : tensors.get(k));
  values = {result};
}

// (text, token and tensors: List[Tensor]) -> (tensors: List[Tensor])
void end_marker_region(Recorder* recorder, std::vector<IValue>& values) {
  std::vector<at::Tensor> outputs = values[1].toTensorVector();
  if (outputs.empty()) throw unmatched(values[0].toStringRef(), "has no token");
  outputs.erase(outputs.begin());
  if (recorder) {
    EndMarker marker = parse_end_marker(values[0].toStringRef());
    if (marker.direct.size() != outputs.size())
      throw unmatched(marker.region, "describes a different number of outputs than it gets");
    std::vector<int> nested;
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (!marker.direct[k]) nested.push_back(static_cast<int>(k));
    outputs = recorder->end_region(marker.region, std::move(outputs), std::move(nested));
  }
  values = {c10::List<at::Tensor>(outputs)};
}

std::vector<at::Tensor> tensors_in(c10::ArrayRef<IValue> values) {
  std::vector<at::Tensor> tensors;
  for (const IValue& value : values)
    for_each_tensor(value, "", [&](const at::Tensor& tensor, const TensorPlace&) { tensors.push_back(tensor); });
  return tensors;
}

void replace_tensors(std::vector<IValue>& values, const std::vector<at::Tensor>& tensors) {
  std::size_t next = 0;
  for (IValue& value : values)
    value = map_tensors(value, "", [&](const at::Tensor&, const TensorPlace&) { return tensors[next++]; });
}

// (name, source, place, values...) -> (values...)
void begin_source_region(Recorder* recorder, std::vector<IValue>& values) {
  std::string name = values[0].toStringRef(), source = values[1].toStringRef(), place = values[2].toStringRef();
  values.erase(values.begin(), values.begin() + 3);
  if (!recorder) return;
  RegionStart start{name, name, Kind::non_reentrant, source, RegionOrigin::source_range, place};
  replace_tensors(values, recorder->begin_region(std::move(start), tensors_in(values)));
}

// (name, values...) -> (values...)
void end_source_region(Recorder* recorder, std::vector<IValue>& values) {
  std::string name = values[0].toStringRef();
  values.erase(values.begin());
  if (recorder) replace_tensors(values, recorder->end_region(name, tensors_in(values), {}));
}

// (tensor) -> (tensor)
void require_grad(Recorder* recorder, std::vector<IValue>& values) {
  if (recorder) values.front() = Recorder::require_grad(values.front().toTensor());
}

std::optional<torch::jit::Operator> op(const char* schema, void (*body)(Recorder*, std::vector<IValue>&)) {
  // Conservative: has side effects, so no pass may remove or reorder it.
  return torch::jit::Operator(schema, reporting(body), c10::AliasAnalysisKind::CONSERVATIVE);
}

const torch::jit::RegisterOperators operators({
    op("gradscan::enter_module(...) -> (...)", enter_module),
    op("gradscan::leave_module(...) -> (...)", leave_module),
    op("gradscan::begin_marker(...) -> (...)", begin_marker_region),
    op("gradscan::end_marker(...) -> (...)", end_marker_region),
    op("gradscan::begin_source_region(...) -> (...)", begin_source_region),
    op("gradscan::end_source_region(...) -> (...)", end_source_region),
    op("gradscan::require_grad(...) -> (...)", require_grad),
});

// --- The rewriting ------------------------------------------------------------------------------------------------------

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Value;

bool is_tensor(const Value* value) {
  const c10::TypePtr& type = value->type();
  return type->isSubtypeOf(*c10::TensorType::get()) ||
         (type->kind() == c10::TypeKind::OptionalType && type->isSubtypeOf(*c10::OptionalType::ofTensor()));
}

// "forward"; the tracer names further calls of the same module "forward1", ...
bool is_module_call(const torch::jit::Node* node) {
  if (node->kind() != c10::prim::CallMethod) return false;
  const std::string& method = node->s(c10::attr::name);
  return node->input(0)->type()->is_module() && method.starts_with("forward") &&
         std::all_of(method.begin() + 7, method.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The name of the function that a node calls; "" for other nodes.
std::string called_function(const torch::jit::Node* node) {
  if (node->kind() != c10::prim::CallFunction) return "";
  auto type = node->input(0)->type()->cast<c10::FunctionType>();
  return type ? type->function()->name() : "";
}

torch::jit::Node* insert(Graph& graph, const char* name, c10::ArrayRef<Value*> inputs, c10::ArrayRef<Value*> like) {
  torch::jit::Node* node = graph.insertNode(graph.create(c10::Symbol::fromQualString(name), inputs, like.size()));
  for (std::size_t k = 0; k < like.size(); ++k) node->output(k)->setType(like[k]->type());
  return node;
}

void report_module_call(Graph& graph, torch::jit::Node* call) {
  std::vector<Value*> inputs{call->input(0)}, tensors;
  std::vector<std::size_t> places;
  for (std::size_t k = 1; k < call->inputs().size(); ++k) {
    if (!is_tensor(call->input(k))) continue;
    places.push_back(k);
    tensors.push_back(call->input(k));
  }
  inputs.insert(inputs.end(), tensors.begin(), tensors.end());
  torch::jit::WithInsertPoint before(call);
  torch::jit::Node* enter = insert(graph, "gradscan::enter_module", inputs, tensors);
  for (std::size_t k = 0; k < places.size(); ++k) call->replaceInput(places[k], enter->output(k));
  torch::jit::WithInsertPoint after(call->next());
  torch::jit::Node* leave = insert(graph, "gradscan::leave_module", call->output(), call->output());
  call->output()->replaceAllUsesAfterNodeWith(leave, leave->output());
}

void replace_function_call(Graph& graph, torch::jit::Node* call, const char* name) {
  torch::jit::WithInsertPoint before(call);
  torch::jit::Node* node = insert(graph, name, call->inputs().slice(1), call->output());
  call->output()->replaceAllUsesWith(node->output());
  call->destroy();
}

std::string constant_text(const Value* value) {
  auto text = torch::jit::toIValue(value);
  if (text && text->isString()) return text->toStringRef();
  throw MarkerError("has a region marker whose description is not a constant");
}

// The nodes in the graph's blocks and in what it runs with torch.jit.fork.
void collect_nodes(Graph& graph, std::vector<torch::jit::Node*>& nodes) {
  std::vector<Block*> blocks{graph.block()};
  while (!blocks.empty()) {
    Block* block = blocks.back();
    blocks.pop_back();
    for (torch::jit::Node* node : block->nodes()) {
      nodes.push_back(node);
      blocks.insert(blocks.end(), node->blocks().begin(), node->blocks().end());
      if (node->hasAttribute(c10::attr::Subgraph)) blocks.push_back(node->g(c10::attr::Subgraph)->block());
    }
  }
}

// The graphs of all methods, without repetition: module objects of one class share them.
std::vector<Graph*> graphs_of(const std::vector<NamedModule>& modules) {
  std::vector<Graph*> graphs;
  std::unordered_set<const torch::jit::Function*> done;
  for (const NamedModule& named : modules)
    for (const torch::jit::Method& method : named.module.get_methods())
      if (auto* function = torch::jit::tryToGraphFunction(method.function()); function && done.insert(function).second)
        graphs.push_back(function->graph().get());
  return graphs;
}

void report_marker(Graph& graph, torch::jit::Node* node, std::set<std::string>& names) {
  std::string function = called_function(node);
  if (function == begin_marker) {
    names.insert(parse_begin_marker(constant_text(node->input(1))).name);
    replace_function_call(graph, node, "gradscan::begin_marker");
  } else if (function == end_marker) {
    parse_end_marker(constant_text(node->input(1)));
    replace_function_call(graph, node, "gradscan::end_marker");
  } else if (function == requires_grad_marker) {
    replace_function_call(graph, node, "gradscan::require_grad");
  }
}

void for_each_node(const std::vector<Graph*>& graphs, const std::function<void(Graph&, torch::jit::Node*)>& rewrite) {
  for (Graph* graph : graphs) {
    std::vector<torch::jit::Node*> nodes;
    collect_nodes(*graph, nodes);
    for (torch::jit::Node* node : nodes) rewrite(*graph, node);
  }
}

}  // namespace

NamedRegions instrument(const std::vector<NamedModule>& modules) {
  NamedRegions regions;
  std::vector<Graph*> graphs = graphs_of(modules);
  for_each_node(graphs, [&](Graph&, torch::jit::Node* node) { report_marker(*node->owningGraph(), node, regions.names); });
  regions.by_markers = !regions.names.empty();
  if (!regions.by_markers) regions.names = mark_source_regions(modules);
  for_each_node(graphs, [&](Graph& graph, torch::jit::Node* node) {
    if (is_module_call(node) && node->input(0) != graph.inputs()[0]) report_module_call(*node->owningGraph(), node);
  });
  return regions;
}

}  // namespace gradscan
