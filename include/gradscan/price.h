// Price: what checkpointing saves and costs. Memory in bytes, work in FLOPs (a multiplication and an addition are two), of one
// forward and backward for the captured inputs.
//
//     Price with = price(capture, Checkpointing::as_given), without = price(capture, Checkpointing::off);
//     without.peak() - with.peak();                              // bytes that the checkpoints save
//     with.recompute_share();                                    // 0.33: a third more work than without them
//
// Activations are the storages that nodes save for backward, each once, besides parameters, buffers and inputs, which are
// alive anyway: what torch.autograd.graph.saved_tensors_hooks sees. FLOPs are those of the operations that
// torch.utils.flop_counter knows (matrix products, convolutions, attention). Tests compare both with Python.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

struct Price {
  std::int64_t outside = 0;   // bytes alive from forward until backward: saved outside of checkpoint regions, and the
                              // arguments of the outermost ones
  std::int64_t largest = 0;   // bytes that come on top while the region is recomputed that needs most
  int largest_region = none;  // that region
  std::int64_t forward_flops = 0;
  std::int64_t backward_flops = 0;   // without recomputation
  std::int64_t recompute_flops = 0;  // forward's, done again in backward

  std::int64_t peak() const { return outside + largest; }
  // Of forward and backward; 0 if their FLOPs are not known.
  double recompute_share() const {
    std::int64_t work = forward_flops + backward_flops;
    return work == 0 ? 0 : static_cast<double>(recompute_flops) / static_cast<double>(work);
  }
};

// With the regions of that kind. A region inside of another is recomputed once for itself and once for every region around it.
// A non-reentrant region is recomputed up to the last operation that saves something (early stop), a reentrant one whole.
Price price(const Capture& capture, Checkpointing checkpointing);

// Per region of the capture, as if all were of the kind that `checkpointing` says: bytes that its recomputation needs, with
// what is checkpointed inside of it again; FLOPs of one recomputation.
struct RegionPrice {
  std::int64_t recomputed_bytes = 0;
  std::int64_t flops = 0;
};
std::vector<RegionPrice> region_prices(const Capture& capture, Checkpointing checkpointing);

// Size of the batch: the first dimension that all inputs with at least one have in common; empty: there is none.
std::optional<std::int64_t> batch_size(const Capture& capture);

// For a batch of another size, with activations and FLOPs in proportion to it: too much where a saved tensor does not grow with
// the batch (a position bias, the mean of a batch normalisation).
Price scaled(Price price, double factor);

// Bytes that do not depend on activations. Buffers of the model are not in it.
struct FixedMemory {
  std::int64_t parameters = 0;  // frozen ones too
  std::int64_t gradients = 0;   // of those that require grad
  std::int64_t buckets = 0;  // DDP's copies of the gradients; 0 with gradient_as_bucket_view, where gradients are the buckets
  std::optional<std::int64_t> optimizer{};  // its state after the first step; empty: no optimizer was named

  std::int64_t sum() const { return parameters + gradients + buckets + optimizer.value_or(0); }
};

enum class Optimizer {
  sgd,           // without momentum: no state
  sgd_momentum,  // one tensor per parameter
  adam,          // Adam and AdamW: two tensors per parameter, and its count of steps in a float32
};

FixedMemory fixed_memory(const Capture& capture, const Setup& setup, std::optional<Optimizer> optimizer);

// What prices are for.
struct PriceOptions {
  std::optional<std::int64_t> batch{};   // this batch, see scaled(); otherwise the inputs'
  std::optional<Optimizer> optimizer{};  // its state counts as memory

  bool operator==(const PriceOptions&) const = default;
};

}  // namespace gradscan
