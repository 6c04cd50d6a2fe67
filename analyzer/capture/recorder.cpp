#include "analyzer/capture/recorder.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "analyzer/capture/ivalues.h"
#include "analyzer/capture/markers.h"
#include "analyzer/capture/source_lines.h"

namespace gradscan {
namespace {

thread_local Recorder* current_recorder = nullptr;

class Boundary : public torch::autograd::Node {
 public:
  torch::autograd::variable_list apply(torch::autograd::variable_list&&) override {
    throw std::logic_error("the graph of a capture is never run backward");
  }
  std::string name() const override { return "gradscan::Boundary"; }
};

torch::autograd::Edge gradient_edge(const at::Tensor& tensor) {
  return tensor.requires_grad() ? torch::autograd::impl::gradient_edge(tensor) : torch::autograd::Edge();
}

bool differentiable(const at::Tensor& tensor) {
  return torch::autograd::isDifferentiableType(tensor.scalar_type());
}

at::Tensor as_leaf(const at::Tensor& tensor) {
  at::Tensor leaf = tensor.variable_data();
  leaf.requires_grad_(true);
  return leaf;
}

// A flag can only add: a tensor that did not require grad when the file was written may do so here, because the outputs of a
// reentrant region that it comes from require grad.
at::Tensor with_wanted_grad(const at::Tensor& tensor, bool wanted) {
  return wanted && !tensor.requires_grad() && differentiable(tensor) ? as_leaf(tensor) : tensor;
}

// A boundary behind `tensors`. Those are replaced by aliases whose gradient function it is: all floating-point ones if
// `always`, else those that require grad.
NodePtr make_boundary(std::vector<at::Tensor>& tensors, bool always) {
  torch::autograd::edge_list edges;
  for (const at::Tensor& tensor : tensors) edges.push_back(gradient_edge(tensor));
  auto boundary = make_node<Boundary>();
  boundary->set_next_edges(std::move(edges));
  for (at::Tensor& tensor : tensors) {
    if (differentiable(tensor) && (always || tensor.requires_grad())) {
      tensor = tensor.variable_data();
      torch::autograd::set_history(tensor, boundary);
    } else {
      boundary->add_input_metadata(torch::autograd::Node::undefined_input());
    }
  }
  return boundary;
}

template <class Interval>
const Interval* find_interval(const std::vector<Interval>& intervals, std::uint64_t number) {
  auto after = std::partition_point(intervals.begin(), intervals.end(), [&](const Interval& i) { return i.last <= number; });
  return after != intervals.end() && after->first <= number ? &*after : nullptr;
}

}  // namespace

// Records the operations of this thread as the dispatcher runs them: the outermost ones, and inside them those whose FLOPs are
// counted.
class Recorder::OperationObserver {
 public:
  OperationObserver() {
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&OperationObserver::start, &OperationObserver::end)
                                             .needsInputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~OperationObserver() { at::removeCallback(handle_); }

 private:
  struct Operation : at::ObserverContext {
    std::uint64_t first = 0;
    OperationFlops flops;
  };

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    Recorder* recorder = Recorder::current();
    if (!recorder) return nullptr;  // a thread that inherited the callback
    auto operation = std::make_unique<Operation>();
    operation->first = at::sequence_number::peek();
    ++recorder->depth_;
    // A boxed call passes the interpreter's whole stack, whose last values are the operation's inputs.
    auto inputs = function.inputs();
    if (function.num_inputs() < inputs.size()) inputs = inputs.slice(inputs.size() - function.num_inputs());
    if (!recorder->counting_) operation->flops = count_flops(function.name(), inputs);
    if (operation->flops.forward != 0) recorder->counting_ = true;
    return operation;
  }

  static void end(const at::RecordFunction&, at::ObserverContext* context) {
    Recorder* recorder = Recorder::current();
    if (!recorder || !context) return;
    auto& operation = *static_cast<Operation*>(context);
    std::uint64_t last = at::sequence_number::peek();
    bool outermost = --recorder->depth_ == 0;
    if (operation.flops.forward != 0) {
      recorder->counting_ = false;
      int region = recorder->open_.empty() ? none : recorder->open_.back();
      recorder->flops_.push_back({operation.first, last, std::move(operation.flops), region});
    }
    if (outermost && last != operation.first)
      recorder->operations_.push_back({operation.first, last, recorder->calls_.back().module, current_source_line()});
  }

  at::CallbackHandle handle_;
};

Recorder::Recorder(Modules modules) : modules_(std::move(modules)) {
  module_paths_.push_back("");
  calls_.push_back({});
  current_recorder = this;
  observer_ = std::make_unique<OperationObserver>();
}

Recorder::~Recorder() {
  observer_.reset();
  current_recorder = nullptr;
}

Recorder* Recorder::current() {
  return current_recorder;
}

int Recorder::module_number(const c10::ivalue::Object* module) {
  auto [found, is_new] = module_numbers_.try_emplace(module, static_cast<int>(module_paths_.size()));
  if (is_new) module_paths_.push_back(modules_[module].path);
  return found->second;
}

void Recorder::enter_module(const c10::ivalue::Object* module, c10::ArrayRef<c10::IValue*> arguments) {
  const RecordedModule& called = modules_[module];
  calls_.push_back({module_number(module)});
  if (!called.region) return;
  std::vector<c10::IValue*> places;
  std::vector<at::Tensor> tensors;
  for (c10::IValue* argument : arguments) {
    if (!argument->isTensor() || !argument->toTensor().defined()) continue;
    if (called.own.contains(argument->toTensor().unsafeGetTensorImpl())) continue;
    places.push_back(argument);
    tensors.push_back(argument->toTensor());
  }
  auto requires_grad = [](const at::Tensor& tensor) { return tensor.requires_grad(); };
  if (called.only_for_grad && std::none_of(tensors.begin(), tensors.end(), requires_grad)) return;
  calls_.back().is_region = true;
  tensors = begin_region(*called.region, std::move(tensors));
  for (std::size_t k = 0; k < places.size(); ++k) *places[k] = tensors[k];
}

void Recorder::leave_module(c10::IValue& result) {
  if (calls_.back().is_region) {
    std::vector<at::Tensor> outputs;
    std::vector<int> nested;
    for_each_tensor(result, "", [&](const at::Tensor& tensor, const TensorPlace& place) {
      if (place.in_object) return;
      if (!place.top_level) nested.push_back(static_cast<int>(outputs.size()));
      outputs.push_back(tensor);
    });
    outputs = end_region(regions_[open_.back()].start.label, std::move(outputs), std::move(nested));
    std::size_t next = 0;
    result = map_tensors(result, "", [&](const at::Tensor&, const TensorPlace&) { return outputs[next++]; });
  }
  calls_.pop_back();
}

std::vector<at::Tensor> Recorder::begin_region(RegionStart start, std::vector<at::Tensor> arguments,
                                               const std::vector<bool>& wanted) {
  for (std::size_t k = 0; k < wanted.size(); ++k) arguments[k] = with_wanted_grad(arguments[k], wanted[k]);
  RecordedRegion region{.start = std::move(start), .parent = open_.empty() ? none : open_.back()};
  region.module = calls_.back().module;
  region.arguments = arguments;
  region.begin = make_boundary(arguments, false);
  region.inside = arguments;
  for (const at::Tensor& tensor : arguments) region.versions.push_back(tensor._version());
  open_.push_back(static_cast<int>(regions_.size()));
  regions_.push_back(std::move(region));
  return arguments;
}

std::vector<at::Tensor> Recorder::end_region(const std::string& label, std::vector<at::Tensor> outputs,
                                             std::vector<int> nested) {
  if (open_.empty() || regions_[open_.back()].start.label != label)
    throw MarkerError(fmt::format("has a marker that ends region {} outside that region", label));
  RecordedRegion& region = regions_[open_.back()];
  bool is_mere_call = region.start.origin == RegionOrigin::module;
  region.end = make_boundary(outputs, !is_mere_call);
  for (std::size_t k = 0; k < region.inside.size(); ++k)
    if (is_mere_call && region.inside[k]._version() != region.versions[k]) region.start.origin = RegionOrigin::changing_module;
  region.nested_outputs = std::move(nested);
  open_.pop_back();
  return outputs;
}

const RecordedRegion* Recorder::open_region() const {
  for (auto open = open_.rbegin(); open != open_.rend(); ++open)
    if (regions_[*open].start.origin != RegionOrigin::module) return &regions_[*open];
  return nullptr;
}

at::Tensor Recorder::require_grad(const at::Tensor& tensor) {
  return with_wanted_grad(tensor, true);
}

const RecordedOperation* Recorder::operation_of(std::uint64_t sequence_number) const {
  return find_interval(operations_, sequence_number);
}

const RecordedFlops* Recorder::flops_of(std::uint64_t sequence_number) const {
  return find_interval(flops_, sequence_number);
}

}  // namespace gradscan
