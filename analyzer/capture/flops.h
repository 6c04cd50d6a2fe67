// Multiplications and additions of an operation, as torch.utils.flop_counter counts them.
//
// Forward and backward of matrix products and convolutions are sums of products over the same three index sets, so each
// operand's gradient costs as much as forward. torch's counter ignores the groups of a convolution in its weight's gradient, as
// if every input channel met every output channel; so does this one. Attention's backward computes all gradients at once, with
// five matrix products where forward has two. torch's counter knows only the CUDA kernels; the CPU kernels, which compute the
// same, are counted like them.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace gradscan {

struct OperationFlops {
  std::int64_t forward = 0;
  // Of the gradients of its tensor arguments, in order; for attention, all are attributed to the first that requires grad.
  std::vector<std::int64_t> gradients;
};

// `operation` is the dispatcher's name ("aten::addmm"). Only matrix products, convolutions and attention are counted; all
// others give zero. Does not throw.
OperationFlops count_flops(std::string_view operation, c10::ArrayRef<const c10::IValue> inputs);

}  // namespace gradscan
