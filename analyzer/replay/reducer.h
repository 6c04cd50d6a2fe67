// The real c10d::Reducer, called in the order in which Python's DistributedDataParallel calls it.
//
// It works in one process. A local backend takes the place of a second rank whose backward yields only zeros: that rank holds
// only what has been reduced. A gradient that the ranks do not share differs between the two.
#pragma once

#include <memory>
#include <vector>

#include "analyzer/replay/observations.h"
#include "analyzer/replay/skeleton.h"
#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

class DdpReducer {
 public:
  // `parameters`: those of the replay, by DDP index; `capture` has their names and sizes. `capture` and `setup` must outlive
  // this.
  DdpReducer(const std::vector<at::Tensor>& parameters, const Capture& capture, const Setup& setup);
  ~DdpReducer();

  // The other rank's zero_grad().
  void zero_grad();

  // What follows belongs to another loss, inside ddp.no_sync() or not.
  void begin_loss(bool no_sync);

  // What DDP does before and after the module's forward. Both throw what the Reducer throws.
  void before_forward();
  // Returns the edges of what DDP's forward returns. `places`: where the outputs are in it.
  GradientEdges after_forward(GradientEdges outputs, const std::vector<Output>& places);

  // What DDP does with a firing now.
  Hearing hearing() const;

  // The other rank's gradients, by DDP index; 0 for an undefined one.
  const std::vector<float>& other_gradients() const;

  // DDP indices in the order in which their gradients arrived in the first iteration; empty unless all arrived.
  std::vector<int> arrival_order() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradscan
