// Iterations of training, as a script runs them: a skeleton in place of the model, with or without DDP around it.
#pragma once

#include <span>
#include <vector>

#include "analyzer/graph/step.h"
#include "analyzer/replay/reducer.h"
#include "analyzer/replay/skeleton.h"
#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

class Training {
 public:
  // `in_turn`: what the skeleton was built from; forward calls play them as turns_of() says. `ddp` is nullptr for a model
  // without DDP. All must outlive this.
  Training(std::span<const Capture> in_turn, Skeleton& skeleton, DdpReducer* ddp, const TrainingStep& step);

  // Throws what torch throws.
  void run_iteration();

 private:
  void backward_of_one_loss();
  GradientEdges call(int turn, int place);
  GradientEdges forward(int turn, int place, std::function<void()> recompute = {});

  std::span<const Capture> in_turn_;
  Skeleton& skeleton_;
  DdpReducer* ddp_;
  const TrainingStep& step_;
  OutsideUses uses_;
  std::vector<int> turns_;
  std::size_t calls_ = 0;  // of forward
};

}  // namespace gradscan
