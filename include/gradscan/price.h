// Price: what checkpointing saves and costs. Memory in bytes and work in FLOPs (a multiplication and an addition count as two),
// for one forward and backward with the captured inputs.
//
//     Price with = price(capture, Checkpointing::as_given), without = price(capture, Checkpointing::off);
//     without.peak() - with.peak();                              // bytes that the checkpoints save
//     with.recompute_share();                                    // 0.33: a third more work than without them
//
// Activations are the storages that nodes save for backward, each counted once, except parameters, buffers and inputs, which
// are alive anyway: what torch.autograd.graph.saved_tensors_hooks sees. FLOPs are those of the operations that
// torch.utils.flop_counter knows (matrix products, convolutions, attention). Tests compare both with Python.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

struct Price {
  std::int64_t outside = 0;   // bytes alive from forward until backward: saved outside checkpoint regions, and the
                              // arguments of the outermost ones
  std::int64_t largest = 0;   // additional bytes while the region that needs the most is recomputed
  int largest_region = none;  // that region
  std::int64_t forward_flops = 0;
  std::int64_t backward_flops = 0;   // without recomputation
  std::int64_t recompute_flops = 0;  // of forward, done again in backward

  std::int64_t peak() const { return outside + largest; }
  // Recomputation as a share of forward and backward; 0 if their FLOPs are unknown.
  double recompute_share() const {
    std::int64_t work = forward_flops + backward_flops;
    return work == 0 ? 0 : static_cast<double>(recompute_flops) / static_cast<double>(work);
  }
};

// The price with regions of that kind. A region inside another is recomputed once for itself and once for every region around
// it. A non-reentrant region is recomputed up to the last operation that saves something (early stop), a reentrant one
// completely.
Price price(const Capture& capture, Checkpointing checkpointing);

// For each region of the capture, as if all were of the kind that `checkpointing` says: the bytes that its recomputation needs,
// including those of checkpointed regions inside it; the FLOPs of one recomputation.
struct RegionPrice {
  std::int64_t recomputed_bytes = 0;
  std::int64_t flops = 0;
};
std::vector<RegionPrice> region_prices(const Capture& capture, Checkpointing checkpointing);

// The batch size: the first dimension, if all inputs that have one agree on it; else empty.
std::optional<std::int64_t> batch_size(const Capture& capture);

// The price for another batch size, with activations and FLOPs in proportion to it. Too high if a saved tensor does not grow
// with the batch (a position bias, the mean of a batch normalisation).
Price scaled(Price price, double factor);

// Bytes that do not depend on activations. The model's buffers are not included.
struct FixedMemory {
  std::int64_t parameters = 0;  // frozen ones too
  std::int64_t gradients = 0;   // of those that require grad
  std::int64_t buckets = 0;  // DDP's copies of the gradients; 0 with gradient_as_bucket_view, where gradients are the buckets
  std::optional<std::int64_t> optimizer{};  // its state after the first step; empty if no optimizer is given

  std::int64_t sum() const { return parameters + gradients + buckets + optimizer.value_or(0); }
};

enum class Optimizer {
  sgd,           // without momentum: no state
  sgd_momentum,  // one tensor per parameter
  adam,          // Adam and AdamW: two tensors and a float32 step count per parameter
};

FixedMemory fixed_memory(const Capture& capture, const Setup& setup, std::optional<Optimizer> optimizer);

// What prices are computed for.
struct PriceOptions {
  std::optional<std::int64_t> batch{};   // batch size, see scaled(); default: that of the inputs
  std::optional<Optimizer> optimizer{};  // its state counts as memory

  bool operator==(const PriceOptions&) const = default;
};

}  // namespace gradscan
