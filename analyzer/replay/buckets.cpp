#include "analyzer/replay/buckets.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <torch/csrc/distributed/c10d/reducer.hpp>

namespace gradscan {
namespace {

constexpr double bytes_per_mib = 1024 * 1024;
// The last size applies to all further buckets.
std::vector<std::size_t> rebuilt_limits(const Setup& setup) {
  BucketCaps caps = bucket_caps(setup);
  return {static_cast<std::size_t>(caps.first * bytes_per_mib), static_cast<std::size_t>(caps.others * bytes_per_mib)};
}

// Without the search for unused parameters, there is a single bucket until the order of arrival is known.
std::vector<std::size_t> initial_limits(const Setup& setup) {
  if (setup.static_graph || !setup.find_unused_parameters) return {std::numeric_limits<std::int64_t>::max()};
  return rebuilt_limits(setup);
}

// A tensor of the parameter's size and type, without memory.
at::Tensor shape_of(const Parameter& parameter) {
  return at::empty(parameter.shape, at::TensorOptions(c10::getStringToDtypeMap().at(parameter.dtype)).device(c10::kMeta));
}

}  // namespace

std::vector<std::vector<int>> bucket_layout(const Capture& capture, const Setup& setup, const std::vector<int>& arrival_order) {
  std::vector<at::Tensor> tensors;
  for (int id : ddp_order(capture)) tensors.push_back(shape_of(capture.parameters[id]));
  bool rebuilt = !arrival_order.empty();
  std::vector<at::Tensor> arrived;
  for (int index : arrival_order) arrived.push_back(tensors[index]);
  auto assignment =
      rebuilt ? c10d::compute_bucket_assignment_by_size(arrived, rebuilt_limits(setup), {},
                                                        std::vector<std::int64_t>(arrival_order.begin(), arrival_order.end()))
              : c10d::compute_bucket_assignment_by_size(tensors, initial_limits(setup));
  std::vector<std::vector<int>> buckets;
  for (const auto& bucket : std::get<0>(assignment)) buckets.emplace_back(bucket.begin(), bucket.end());
  if (!rebuilt) std::reverse(buckets.begin(), buckets.end());
  return buckets;
}

}  // namespace gradscan
