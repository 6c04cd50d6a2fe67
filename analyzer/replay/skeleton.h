// The captured topology as real autograd nodes over one-element tensors.
//
// Every captured operation becomes one trivial node: if any gradient comes in it sends a gradient along each of its edges, the
// constant 1 or, if all that came in are zero, 0; else it sends undefined gradients. So no value can overflow, however deep the
// model, and what reaches a parameter is a small whole number that depends on the topology alone.
// Every reentrant region becomes one checkpoint node which, when it runs backward, runs torch's engine on the nodes inside the
// region, as torch.utils.checkpoint does; it builds them when it runs for the first time.
//
// Regions that are not reentrant are transparent. For those that are not checkpointed this is what torch does. For
// non-reentrant ones it is as true: their forward records the same nodes, in the same order, only with saved tensors that are
// packed into placeholders; the recomputation that unpacks them builds a graph of its own, which is never run backward and is
// thrown away. So the two kinds have the same graph, sequence numbers in the same order, and the same firings.
//
// Building is one loop over the captured nodes in ascending order: torch's engine prefers the node that was created last, so
// the order of creation decides which parameter comes first in backward. A graph that is the same in every iteration needs to
// be built only once: in an iteration a node changes nothing but that it frees its saved tensors, and the next forward saves
// them anew. Nodes of different backward passes are never compared by age, so the order within each pass is enough.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include <functional>
#include <memory>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

using GradientEdges = std::vector<torch::autograd::Edge>;

// For each DDP index the causes of its firings, as in Firings::causes.
using Causes = std::vector<std::vector<int>>;

// A tensor whose gradient goes along this edge; one without grad_fn for an edge that leads nowhere or to a leaf.
at::Tensor tensor_with(const torch::autograd::Edge& edge);

// Whether the edge leads to an operation, as that of a tensor with a grad_fn does: not to a leaf's AccumulateGrad or nowhere.
bool has_grad_fn(const torch::autograd::Edge& edge);

// What DDP puts behind forward: one node over all these edges that passes on what it gets, undefined gradients too, and calls
// `on_backward` when it runs. Returns its inputs, one for each edge that has a grad_fn; the others stay as they are.
GradientEdges sink_behind(const GradientEdges& edges, std::function<void()> on_backward);

// One model in training. Not to be moved or copied: its nodes refer to it.
class Skeleton {
 public:
  Skeleton(const Capture& capture, Checkpointing checkpointing);
  ~Skeleton();

  // The parameters that DDP manages, in its order.
  const std::vector<at::Tensor>& parameters() const;

  // Begins an iteration; the gradient edge of each of the capture's outputs.
  GradientEdges forward();

  // Runs torch's engine from a loss computed from these edges. Throws what torch throws.
  void backward(const GradientEdges& loss);

  // The firings since the last call.
  Causes take_causes();

  // The parameters' gradients as they stand after backward (and DDP's all-reduce, if there is a Reducer); 0 for an undefined
  // one.
  std::vector<float> gradients() const;

  // What this rank has contributed to them: the sum over the firings since zero_grad().
  const std::vector<float>& local_gradients() const;

  // As zero_grad(set_to_none=True).
  void zero_grad();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradscan
