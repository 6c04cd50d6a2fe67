#include "analyzer/replay/training.h"

#include <utility>

#include "analyzer/graph/in_turn.h"

namespace gradscan {
namespace {

GradientEdges in_loss(const Capture& capture, const GradientEdges& outputs) {
  GradientEdges edges;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (capture.outputs[i].in_loss) edges.push_back(outputs[i]);
  return edges;
}

}  // namespace

Training::Training(std::span<const Capture> in_turn, Skeleton& skeleton, DdpReducer* ddp, const TrainingStep& step)
    : in_turn_(in_turn),
      skeleton_(skeleton),
      ddp_(ddp),
      step_(step),
      uses_(outside_uses(in_turn.front(), step)),
      turns_(turns_of(in_turn)) {}

void Training::run_iteration() {
  skeleton_.zero_grad(step_.set_to_none);
  if (ddp_) ddp_->zero_grad();
  for (int losses_left = step_.no_sync; losses_left >= 0; --losses_left) {
    if (ddp_) ddp_->begin_loss(/*no_sync=*/losses_left > 0);
    backward_of_one_loss();
  }
}

void Training::backward_of_one_loss() {
  GradientEdges outputs;
  for (int place = 0; place < step_.forwards; ++place) {
    int turn = turns_[calls_++ % turns_.size()];
    GradientEdges more = in_loss(in_turn_[turn], call(turn, place));
    outputs.insert(outputs.end(), more.begin(), more.end());
  }
  at::Tensor loss = skeleton_.loss(outputs, uses_);
  for (int left = step_.backwards - 1; left >= 0; --left) skeleton_.backward(loss, /*keep_graph=*/left > 0);
}

// ddp(x), or checkpoint(ddp, x). A reentrant checkpoint runs DDP's forward once without recording it, which has no effect, and
// again in backward. A non-reentrant one runs it as usual, and again in backward up to the last tensor that it has to
// recompute: what DDP does before the module's forward, but not what it does after.
GradientEdges Training::call(int turn, int place) {
  switch (step_.checkpoint_around) {
    case Kind::reentrant:
      return skeleton_.checkpointed(turn, [this, turn, place] { return forward(turn, place); });
    case Kind::non_reentrant:
      return forward(turn, place, [this] {
        if (ddp_) ddp_->before_forward();
      });
    case Kind::off:
      break;
  }
  return forward(turn, place);
}

GradientEdges Training::forward(int turn, int place, std::function<void()> recompute) {
  if (!ddp_) return skeleton_.forward(turn, place, std::move(recompute));
  ddp_->before_forward();
  return ddp_->after_forward(skeleton_.forward(turn, place, std::move(recompute)), in_turn_[turn].outputs);
}

}  // namespace gradscan
