// Multiplications and additions of an operation's forward, as torch.utils.flop_counter counts them.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <string_view>

namespace gradscan {

// `operation` is the dispatcher's name ("aten::addmm"). 0 for an operation that is not counted: only matrix products,
// convolutions and attention are. Does not throw.
std::int64_t forward_flops(std::string_view operation, c10::ArrayRef<const c10::IValue> inputs);

}  // namespace gradscan
