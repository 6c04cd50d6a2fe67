// Tensors inside TorchScript values: in tuples, lists, dicts and, for reading, attributes of objects.
#pragma once

#include <ATen/core/ivalue.h>

#include <functional>
#include <string>

namespace gradscan {

// Where a tensor is in a value.
struct TensorPlace {
  std::string path;        // "output", "output[1]", "output['loss']", "output.logits"
  bool top_level = true;   // the value itself, or a member of a tuple that is the value
  bool in_object = false;  // an attribute of an object, or below one
};

// Calls `visit` for each tensor, in order.
void for_each_tensor(const c10::IValue& value, const std::string& path,
                     const std::function<void(const at::Tensor&, const TensorPlace&)>& visit);

// The value with each tensor replaced by what `replace` returns for it. Containers are copied; objects are kept unchanged.
c10::IValue map_tensors(const c10::IValue& value, const std::string& path,
                        const std::function<at::Tensor(const at::Tensor&, const TensorPlace&)>& replace);

}  // namespace gradscan
