// The buckets in which DistributedDataParallel reduces the gradients of the real model.
#pragma once

#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// DDP indices per bucket, in the order of reduction. `arrival_order`: DDP indices in the order in which gradients arrived in
// the first iteration, if DDP rebuilt its buckets after it; else empty.
std::vector<std::vector<int>> bucket_layout(const Capture& capture, const Setup& setup, const std::vector<int>& arrival_order);

}  // namespace gradscan
