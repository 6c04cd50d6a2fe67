// Which line of the user's Python code an operation of a TorchScript model comes from.
#pragma once

#include <torch/csrc/jit/frontend/source_range.h>

#include <string>

namespace gradscan {

// The Python stack stored with an operation by torch.jit.trace; empty for one that was scripted or that torch inserted.
std::string traced_stack(const torch::jit::SourceRange& range);

// "model.py:17" for the operation that the TorchScript interpreter is running on this thread; empty if the file does not say.
std::string current_source_line();

}  // namespace gradscan
