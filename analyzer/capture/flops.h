// Multiplications and additions of an operation, as torch.utils.flop_counter counts them.
//
// Forward and backward of a matrix product and of a convolution are sums of products over the same three index sets, so each
// operand's gradient costs what forward does. torch's counter leaves the groups of a convolution out of its weight's gradient,
// as if every input channel met every output channel; so does this one. Attention's backward makes all gradients at once, by
// five matrix products where forward has two. torch's counter knows only the kernels of CUDA; those of the CPU, which compute
// the same, are counted like them.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace gradscan {

struct OperationFlops {
  std::int64_t forward = 0;
  // Of the gradients of its tensor arguments, in their order; an attention's are all those of the first that requires grad.
  std::vector<std::int64_t> gradients;
};

// `operation` is the dispatcher's name ("aten::addmm"). Zero for an operation that is not counted: only matrix products,
// convolutions and attention are. Does not throw.
OperationFlops count_flops(std::string_view operation, c10::ArrayRef<const c10::IValue> inputs);

}  // namespace gradscan
