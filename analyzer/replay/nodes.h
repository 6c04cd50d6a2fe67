// The autograd nodes that replays are made of. A gradient is 1, 0 or undefined, so no value can overflow, however deep the
// model is, and what reaches a parameter is a small integer that depends only on the topology.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

using GradientEdges = std::vector<torch::autograd::Edge>;

// The two values of a gradient. Each is referenced here too, so that no recipient considers itself the sole owner and adds to
// it in place.
struct Units {
  at::Tensor zero = at::zeros({1}), one = at::ones({1});

  at::Tensor of(const at::Tensor& gradient) const { return *gradient.const_data_ptr<float>() == 0 ? zero : one; }

  // Zero if all defined ones are zero; undefined if all are undefined.
  at::Tensor sum(const std::vector<at::Tensor>& gradients) const {
    at::Tensor result;
    for (const at::Tensor& gradient : gradients)
      if (gradient.defined() && !result.is_same(one)) result = of(gradient);
    return result;
  }
};

// What one forward records. The same nodes serve every forward that records the same graph: each forward begins a generation,
// in which the nodes hold their saved tensors until these are freed.
struct Recording {
  int generation = 0;
  // What a non-reentrant checkpoint around all of it runs when backward needs the first saved tensor; empty if there is none.
  std::function<void()> recompute;
  bool recomputed = false;  // whether it has run in the current backward
};

// The saved tensors of one node. The engine may release them when the scope that recorded the node is gone.
class Saved {
 public:
  explicit Saved(std::shared_ptr<Recording> recording) : recording_(std::move(recording)) {}

  void unpack() const {
    TORCH_CHECK(released_in_ != recording_->generation, torch::autograd::ERR_BACKWARD_TWICE);
    if (recording_->recompute && !std::exchange(recording_->recomputed, true)) recording_->recompute();
  }
  void release() { released_in_ = recording_->generation; }

 private:
  std::shared_ptr<Recording> recording_;
  int released_in_ = none;
};

inline void add_inputs(torch::autograd::Node& node, int count, const at::Tensor& like) {
  for (int i = 0; i < count; ++i) node.add_input_metadata(like);
}

// If it receives any gradient, it sends one along each of its edges.
class Sum : public torch::autograd::Node {
 public:
  Sum(GradientEdges next, int inputs, const Units& units) : Node(std::move(next)), units_(units) {
    add_inputs(*this, inputs, units.one);
  }

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    return torch::autograd::variable_list(num_outputs(), units_.sum(gradients));
  }

  const Units& units_;
};

// The backward node of an operation that saves tensors.
class Saving : public Sum {
 public:
  Saving(GradientEdges next, int inputs, const Units& units, std::shared_ptr<Recording> recording)
      : Sum(std::move(next), inputs, units), saved_(std::move(recording)) {}

  void release_variables() override { saved_.release(); }

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    saved_.unpack();
    return Sum::apply(std::move(gradients));
  }

 private:
  Saved saved_;
};

// 0.0 * x
class TimesZero : public Sum {
 public:
  using Sum::Sum;

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&&) override {
    return torch::autograd::variable_list(num_outputs(), units_.zero);
  }
};

// What DDP puts behind forward.
class Sink : public torch::autograd::Node {
 public:
  Sink(const GradientEdges& next, std::function<void()> on_backward)
      : Node(GradientEdges(next)), on_backward_(std::move(on_backward)) {
    add_inputs(*this, static_cast<int>(next.size()), at::zeros({1}));
  }

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    on_backward_();
    return std::move(gradients);
  }

 private:
  std::function<void()> on_backward_;
};

}  // namespace gradscan
