#include "analyzer/capture/source_regions.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "analyzer/capture/python_stack.h"
#include "analyzer/capture/source_lines.h"

namespace gradscan {
namespace {

using torch::jit::Graph;
using torch::jit::Value;
using Frames = std::vector<Frame>;  // innermost first

std::size_t depth_of(const Frames& frames) {
  return std::count_if(frames.begin(), frames.end(), [](const Frame& frame) { return frame.calls_module(); });
}

// The statement that called the innermost module.
Frames caller_of(const Frames& frames) {
  auto frame = std::find_if(frames.begin(), frames.end(), [](const Frame& frame) { return frame.calls_module(); });
  while (frame != frames.end() && frame->in_module_call()) ++frame;
  return {frame, frames.end()};
}

// The Python stacks of nodes, as far as the file has them.
class Stacks {
 public:
  const Frames& of(const torch::jit::Node* node) {
    auto [found, is_new] = frames_.try_emplace(node);
    if (!is_new) return found->second;
    if (node->kind() == c10::prim::CallMethod) return found->second = of_call(node);
    const std::string& text = texts_.emplace_back(traced_stack(node->sourceRange()));
    return found->second = parse_stack(text);
  }

  // The stack of the node that is called from the fewest modules: the others may be in a module that is not registered, whose
  // operations the tracer attributes to its caller.
  const Frames& outermost(const Graph& graph) {
    static const Frames no_frames;
    const Frames* result = &no_frames;
    for (const torch::jit::Node* node : graph.nodes()) {
      const Frames& frames = of(node);
      if (!frames.empty() && (result->empty() || depth_of(frames) < depth_of(*result))) result = &frames;
    }
    return *result;
  }

 private:
  // Recurses only as deeply as modules are nested.
  Frames of_call(const torch::jit::Node* node) {
    auto type = node->input(0)->type()->cast<c10::ClassType>();
    auto* method = type ? type->findMethod(node->s(c10::attr::name)) : nullptr;
    auto* function = method ? torch::jit::tryToGraphFunction(*method) : nullptr;
    return function ? caller_of(outermost(*function->graph())) : Frames();
  }

  std::deque<std::string> texts_;
  std::unordered_map<const torch::jit::Node*, Frames> frames_;
};

// A call of checkpoint() that contains a node.
struct CheckpointCall {
  std::string_view outside;  // the stack from checkpoint()'s frame outwards
  std::string_view inside;   // the stack inside that frame; empty for the call of a module that is itself checkpointed
  std::string_view function;
  std::string source, place;  // see Region
  bool by_torch = false;      // the function is torch's own: checkpoint_sequential() runs several modules in one region
};

std::string_view text_between(const Frames& frames, std::size_t first, std::size_t last) {
  if (first == last) return {};
  const char* begin = frames[first].file.data();
  return {begin, static_cast<std::size_t>(frames[last - 1].function.data() + frames[last - 1].function.size() - begin)};
}

CheckpointCall checkpoint_call(const Frames& frames, std::size_t k) {
  CheckpointCall call{.outside = text_between(frames, k, frames.size()), .inside = text_between(frames, 0, k)};
  Frames outwards(frames.begin() + static_cast<std::ptrdiff_t>(k), frames.end());
  call.source = user_line(outwards);
  call.place = own_line(outwards);
  if (k == 0) return call;
  call.function = frames[k - 1].function;
  call.by_torch = !frames[k - 1].in_user_code();
  return call;
}

// The calls of checkpoint() inside the `depth` outermost module calls, outermost first.
std::vector<CheckpointCall> checkpoint_calls(const Frames& frames, std::size_t depth) {
  std::vector<CheckpointCall> calls;
  std::size_t modules = 0;
  for (std::size_t k = frames.size(); k-- > 0;) {
    modules += frames[k].calls_module();
    if (modules >= depth && frames[k].runs_checkpoint()) calls.push_back(checkpoint_call(frames, k));
  }
  return calls;
}

struct OpenRegion {
  CheckpointCall call;
  std::string name;
  torch::jit::Node* first = nullptr;
  torch::jit::Node* last = nullptr;
  std::map<std::string_view, std::string> elements;  // by line inside: the module that it called last
};

bool holds_tensors(const c10::TypePtr& type) {
  if (type->kind() == c10::TypeKind::TensorType) return true;
  if (type->kind() == c10::TypeKind::ClassType || type->kind() == c10::TypeKind::FunctionType) return false;
  auto parts = type->containedTypes();
  return std::any_of(parts.begin(), parts.end(), holds_tensors);
}

// "blocks.1" and "blocks.2" become the same.
std::string without_numbers(std::string path) {
  path.erase(std::remove_if(path.begin(), path.end(), [](char c) { return c >= '0' && c <= '9'; }), path.end());
  return path;
}

// Attributes and constants come before what uses them, often before the region that does.
bool is_read_ahead(const torch::jit::Node* node) {
  return node->kind() == c10::prim::GetAttr || node->kind() == c10::prim::Constant;
}

class GraphMarker {
 public:
  using Paths = std::unordered_map<const c10::ivalue::Object*, std::string>;

  GraphMarker(Stacks& stacks, const Paths& paths, const NamedModule& owner, Graph& graph, std::set<std::string>& names)
      : stacks_(stacks), paths_(paths), owner_(owner), graph_(graph), names_(names) {}

  void run() {
    std::size_t depth = depth_of(stacks_.outermost(graph_));
    std::vector<torch::jit::Node*> nodes(graph_.nodes().begin(), graph_.nodes().end());
    for (torch::jit::Node* node : nodes) {
      const Frames& frames = stacks_.of(node);
      if (!frames.empty() && !is_read_ahead(node)) place(node, checkpoint_calls(frames, depth));
    }
    close_down_to(0);
  }

 private:
  void place(torch::jit::Node* node, const std::vector<CheckpointCall>& calls) {
    std::string callee = called_module(node);
    std::size_t common = 0;
    while (common < std::min(open_.size(), calls.size()) && continues(open_[common], calls[common], callee)) ++common;
    close_down_to(common);
    for (std::size_t k = common; k < calls.size(); ++k)
      open_.push_back({.call = calls[k], .name = name_of(calls[k], callee), .first = node});
    for (std::size_t k = 0; k < calls.size(); ++k) {
      open_[k].last = node;
      if (!callee.empty()) open_[k].elements[calls[k].inside] = callee;
    }
  }

  static bool continues(const OpenRegion& open, const CheckpointCall& call, const std::string& callee) {
    if (open.call.outside != call.outside || call.inside.empty()) return false;
    auto before = open.elements.find(call.inside);
    return call.by_torch || callee.empty() || before == open.elements.end() || before->second == callee ||
           without_numbers(before->second) != without_numbers(callee);
  }

  // The path of the module that a node calls; empty for other nodes.
  std::string called_module(const torch::jit::Node* node) const {
    if (node->kind() != c10::prim::CallMethod) return "";
    std::vector<std::string> attributes;
    const Value* value = node->input(0);
    for (; value->node()->kind() == c10::prim::GetAttr; value = value->node()->input(0))
      attributes.push_back(value->node()->s(c10::attr::name));
    if (value != graph_.inputs()[0]) return "";
    c10::IValue module = owner_.module._ivalue();
    for (auto name = attributes.rbegin(); name != attributes.rend(); ++name) module = module.toObjectRef().getAttr(*name);
    auto path = paths_.find(&module.toObjectRef());
    return path == paths_.end() ? "" : path->second;
  }

  std::string name_of(const CheckpointCall& call, const std::string& callee) const {
    if (call.inside.empty() && !callee.empty()) return callee;
    std::string function(call.function.empty() ? "checkpoint" : call.function);
    return owner_.path.empty() ? function : owner_.path + '.' + function;
  }

  void close_down_to(std::size_t count) {
    while (open_.size() > count) {
      OpenRegion region = std::move(open_.back());
      open_.pop_back();
      auto [begin, end] = wrap(region);
      for (OpenRegion& outer : open_) {
        if (outer.first == region.first) outer.first = begin;
        if (outer.last == region.last) outer.last = end;
      }
    }
  }

  std::pair<torch::jit::Node*, torch::jit::Node*> wrap(const OpenRegion& region) {
    collect_members(region);
    std::vector<Value*> used = values_used_inside(), made = values_used_behind(region);
    torch::jit::WithInsertPoint before(region.first);
    Value* name = graph_.insertConstant(region.name);
    Value* source = graph_.insertConstant(region.call.source);
    Value* place = graph_.insertConstant(region.call.place);
    torch::jit::Node* begin = insert("gradscan::begin_source_region", {name, source, place}, used);
    for (std::size_t k = 0; k < used.size(); ++k)
      replace_uses(used[k], begin->output(k), [&](const torch::jit::Node* user) { return members_.contains(user); });
    torch::jit::WithInsertPoint after(region.last->next());
    torch::jit::Node* end = insert("gradscan::end_source_region", {name}, made);
    for (std::size_t k = 0; k < made.size(); ++k)
      replace_uses(made[k], end->output(k),
                   [&](const torch::jit::Node* user) { return user != end && !members_.contains(user); });
    names_.insert(region.name);
    return {begin, end};
  }

  // Collects the nodes of the region, including those in their blocks.
  void collect_members(const OpenRegion& region) {
    members_.clear();
    ordered_.clear();
    for (torch::jit::Node* node = region.first;; node = node->next()) {
      ordered_.push_back(node);
      if (node == region.last) break;
    }
    for (std::size_t k = 0; k < ordered_.size(); ++k) {
      members_.insert(ordered_[k]);
      for (torch::jit::Block* block : ordered_[k]->blocks()) {
        members_.insert({block->param_node(), block->return_node()});
        ordered_.insert(ordered_.end(), block->nodes().begin(), block->nodes().end());
        ordered_.push_back(block->return_node());
      }
    }
  }

  std::vector<Value*> values_used_inside() const {
    std::vector<Value*> values;
    for (torch::jit::Node* node : ordered_)
      for (Value* value : node->inputs()) {
        if (is_read_ahead(value->node()) || members_.contains(value->node()) || !holds_tensors(value->type())) continue;
        if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
      }
    return values;
  }

  std::vector<Value*> values_used_behind(const OpenRegion& region) const {
    std::vector<Value*> values;
    for (torch::jit::Node* node = region.first; node != region.last->next(); node = node->next())
      for (Value* value : node->outputs()) {
        if (node->kind() == c10::prim::GetAttr || node->kind() == c10::prim::Constant || !holds_tensors(value->type()))
          continue;
        auto behind = [&](const torch::jit::Use& use) { return !members_.contains(use.user); };
        if (std::any_of(value->uses().begin(), value->uses().end(), behind)) values.push_back(value);
      }
    return values;
  }

  torch::jit::Node* insert(const char* name, std::vector<Value*> inputs, const std::vector<Value*>& like) {
    inputs.insert(inputs.end(), like.begin(), like.end());
    torch::jit::Node* node = graph_.insertNode(graph_.create(c10::Symbol::fromQualString(name), inputs, like.size()));
    for (std::size_t k = 0; k < like.size(); ++k) node->output(k)->setType(like[k]->type());
    return node;
  }

  template <class Predicate>
  static void replace_uses(Value* value, Value* replacement, Predicate applies) {
    torch::jit::use_list uses = value->uses();
    for (const torch::jit::Use& use : uses)
      if (applies(use.user)) use.user->replaceInput(use.offset, replacement);
  }

  Stacks& stacks_;
  const Paths& paths_;
  const NamedModule& owner_;
  Graph& graph_;
  std::set<std::string>& names_;
  std::vector<OpenRegion> open_;
  std::vector<torch::jit::Node*> ordered_;
  std::unordered_set<const torch::jit::Node*> members_;
};

}  // namespace

std::set<std::string> mark_source_regions(const std::vector<NamedModule>& modules) {
  std::set<std::string> names;
  std::unordered_set<const torch::jit::Function*> done;
  GraphMarker::Paths paths;
  Stacks stacks;
  for (const NamedModule& named : modules) paths[named.module._ivalue().get()] = named.path;
  for (const NamedModule& named : modules) {
    if (is_checkpoint_wrapper(named.module)) continue;  // each of its calls is known to be a region
    for (const torch::jit::Method& method : named.module.get_methods()) {
      auto* function = torch::jit::tryToGraphFunction(method.function());
      if (function && done.insert(function).second) GraphMarker(stacks, paths, named, *function->graph(), names).run();
    }
  }
  return names;
}

}  // namespace gradscan
