#include "analyzer/capture/flops.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <exception>

namespace gradscan {
namespace {

using Arguments = c10::ArrayRef<const c10::IValue>;

// (m x k) times (k x n), or a batch of them.
std::int64_t product(const at::Tensor& left, const at::Tensor& right) {
  return 2 * left.numel() * right.size(-1);
}

OperationFlops mm(Arguments inputs) {
  std::int64_t flops = product(inputs[0].toTensor(), inputs[1].toTensor());
  return {flops, {flops, flops}};
}

OperationFlops addmm(Arguments inputs) {
  std::int64_t flops = product(inputs[1].toTensor(), inputs[2].toTensor());
  return {flops, {0, flops, flops}};
}

// A list with one number applies it to all dimensions.
std::int64_t element(const std::vector<std::int64_t>& list, std::size_t dimension) {
  return list.size() == 1 ? list[0] : list[dimension];
}

// input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, ...
OperationFlops convolution(Arguments inputs) {
  const at::Tensor& input = inputs[0].toTensor();
  const at::Tensor& weight = inputs[1].toTensor();
  auto stride = inputs[3].toIntVector(), padding = inputs[4].toIntVector(), dilation = inputs[5].toIntVector();
  bool transposed = inputs[6].toBool();
  if (std::count(stride.begin(), stride.end(), 0)) return {};  // the operation will reject it
  std::int64_t positions = input.dim() == weight.dim() ? input.size(0) : 1;
  for (std::int64_t k = 2; k < weight.dim(); ++k) {
    std::int64_t size = input.size(k - weight.dim());
    std::int64_t reach = element(dilation, k - 2) * (weight.size(k) - 1) + 1;
    positions *= transposed ? size : (size + 2 * element(padding, k - 2) - reach) / element(stride, k - 2) + 1;
  }
  std::int64_t flops = 2 * positions * weight.numel();
  return {flops, {flops, flops * inputs[8].toInt(), 0}};
}

// query, key, value: scores = query x key, result = scores x value. Backward computes the scores again, then the gradients of
// scores, value, query and key.
OperationFlops attention(Arguments inputs) {
  const at::Tensor& query = inputs[0].toTensor();
  const at::Tensor& key = inputs[1].toTensor();
  const at::Tensor& value = inputs[2].toTensor();
  if (query.numel() == 0) return {};
  std::int64_t by_key = 2 * query.numel() * key.size(-2);
  std::int64_t by_value = 2 * query.numel() / query.size(-1) * key.size(-2) * value.size(-1);
  OperationFlops flops{by_key + by_value, {0, 0, 0}};
  int first = query.requires_grad() ? 0 : key.requires_grad() ? 1 : 2;
  flops.gradients[first] = 3 * by_key + 2 * by_value;
  return flops;
}

OperationFlops count(std::string_view operation, Arguments inputs) {
  if (operation == "aten::mm" || operation == "aten::bmm") return mm(inputs);
  if (operation == "aten::addmm" || operation == "aten::baddbmm") return addmm(inputs);
  if (operation == "aten::convolution" || operation == "aten::_convolution") return convolution(inputs);
  if (operation.starts_with("aten::_scaled_dot_product_") && operation.find("attention") != std::string_view::npos &&
      !operation.ends_with("_math") && operation.find("backward") == std::string_view::npos)
    return attention(inputs);
  return {};
}

}  // namespace

OperationFlops count_flops(std::string_view operation, Arguments inputs) {
  try {
    return count(operation, inputs);
  } catch (const std::exception&) {
    return {};  // inputs that the operation itself is about to reject
  }
}

}  // namespace gradscan
