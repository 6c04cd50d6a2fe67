// The captured topology as real autograd nodes over one-element tensors.
//
// Every captured operation becomes one trivial node (see nodes.h): if it receives any gradient, it sends one along each of its
// edges, the constant 1, or 0 if all that it received are zero; else it sends undefined gradients. Every reentrant region
// becomes one checkpoint node which, when it runs backward, runs torch's engine on the nodes inside the region, as
// torch.utils.checkpoint does; it builds them when it first runs.
//
// Regions that are not reentrant are transparent. For those that are not checkpointed, this is what torch does. For
// non-reentrant ones it is equivalent: their forward records the same nodes in the same order, only with saved tensors packed
// into placeholders; the recomputation that unpacks them builds a separate graph, which is never run backward and is discarded.
// So both kinds have the same graph, sequence numbers in the same order, and the same firings.
//
// Building is one loop over the captured nodes in ascending order: torch's engine prefers the node that was created last, so
// the order of creation decides which parameter comes first in backward. A graph that is the same in every iteration is built
// only once: all that changes in an iteration is that nodes free their saved tensors, and the next forward saves them again (a
// generation, see nodes.h). Nodes of different backward passes are never compared by age, so the order within each pass
// suffices. Forward calls that enter one loss need a graph each.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "analyzer/graph/step.h"
#include "analyzer/replay/nodes.h"
#include "gradscan/capture.h"
#include "gradscan/firings.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// Called with every firing, before DDP's own hook.
using OnFiring = std::function<void(Firing)>;

// A tensor whose gradient goes along this edge; without grad_fn if the edge leads nowhere or to a leaf.
at::Tensor tensor_with(const torch::autograd::Edge& edge);

// Whether the edge leads to an operation, like that of a tensor with a grad_fn: not nowhere, and not to a leaf's
// AccumulateGrad.
bool has_grad_fn(const torch::autograd::Edge& edge);

// DDP's sink: one node over all these edges that passes on what it receives, including undefined gradients, and calls
// `on_backward` when it runs. Returns its inputs, one for each edge that has a grad_fn; the other edges are returned unchanged.
GradientEdges sink_behind(const GradientEdges& edges, std::function<void()> on_backward);

// One model in training. It must not be moved or copied: its nodes refer to it.
class Skeleton {
 public:
  // At least one capture; all are of the same model, with the same parameters. They must outlive this.
  Skeleton(std::span<const Capture> captures, Checkpointing checkpointing, OnFiring on_firing);
  ~Skeleton();

  // The parameters that DDP manages, in its order.
  const std::vector<at::Tensor>& parameters() const;

  // Runs forward with the `turn`-th capture and returns the gradient edge of each of its outputs. `place`: its position, from
  // 0, among the calls that enter one loss. `recompute`: what a non-reentrant checkpoint around it runs in backward, if there
  // is one.
  GradientEdges forward(int turn, int place, std::function<void()> recompute = {});

  // A reentrant checkpoint around the `turn`-th capture, which runs `forward` in backward; no edges if no input requires grad.
  GradientEdges checkpointed(int turn, std::function<GradientEdges()> forward);

  // A loss computed from these edges and parameters; without grad_fn if there are none.
  at::Tensor loss(const GradientEdges& outputs, const OutsideUses& uses) const;

  // Runs torch's engine. Throws what torch throws.
  void backward(const at::Tensor& loss, bool keep_graph);

  // The parameters' gradients after backward (and after DDP's all-reduce, if there is a Reducer); 0 for an undefined one.
  std::vector<float> gradients() const;

  void zero_grad(bool set_to_none);

 private:
  torch::autograd::Edge sum_of(const std::vector<int>& parameters) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradscan
