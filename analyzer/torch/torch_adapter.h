// What differs between the versions of torch that gradscan builds against (2.7 to 2.15), and what is awkward in all of them.
//
// Only sources of gradscan_torch include this header.
#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/node.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradscan/error.h"

namespace gradscan {

// How torch holds an autograd node: a shared_ptr in older versions, an intrusive_ptr in newer ones.
using NodePtr = decltype(torch::autograd::Edge::function);

// A new autograd node of type T.
template <class T, class... Args>
auto make_node(Args&&... args) {
  if constexpr (std::is_same_v<NodePtr, std::shared_ptr<torch::autograd::Node>>) {
    return std::shared_ptr<T>(new T(std::forward<Args>(args)...), [](T* node) { deleteNode(node); });
  } else {
    return c10::make_intrusive<T>(std::forward<Args>(args)...);
  }
}

// The tensors that a node has saved for its backward, each as often as it is saved; nothing if this kind of node does not
// reveal them (a custom autograd function without support for compiled autograd).
std::optional<std::vector<at::Tensor>> saved_tensors(const NodePtr& node);

// The error at the end of a torch or TorchScript message, in one line without C++ stack traces.
std::string last_error_line(const std::exception& error);

// Whether an allocation failed, as reported by torch or by C++; and what to throw then.
bool is_out_of_memory(const std::exception& error);
Error out_of_memory(const std::string& path);

}  // namespace gradscan
