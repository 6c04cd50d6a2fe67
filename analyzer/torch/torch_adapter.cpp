#include "analyzer/torch/torch_adapter.h"

#include <c10/util/Exception.h>
#include <torch/csrc/dynamo/compiled_autograd.h>
#include <torch/version.h>

#include <new>
#include <sstream>
#include <string_view>

#include "gradscan/version.h"

namespace gradscan {
namespace {

// An interpreter error is a traceback that ends in "RuntimeError: text"; the text may continue with hints and C++ frames.
constexpr std::string_view marks_of_an_error[] = {"RuntimeError: ", "torch.jit.Error: ", "NotImplementedError: "};

std::string first_line_with_text(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);)
    if (line.find_first_not_of(" \t\r") != std::string::npos) return line.substr(line.find_first_not_of(" \t\r"));
  return "";
}

}  // namespace

std::string torch_version() {
  return TORCH_VERSION;
}

// Compiled autograd asks every node for its contents, to build a cache key; the saved tensors are part of the answer.
std::optional<std::vector<at::Tensor>> saved_tensors(const NodePtr& node) {
  using namespace torch::dynamo::autograd;
  AutogradCompilerCall compiler(SizeInput::STATIC);
  NodeCall call(0, node);
  try {
    CompiledNodeArgs args(compiler, call);
    node->compiled_args(args);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return std::move(compiler.tensor_args.inputs);
}

std::string last_error_line(const std::exception& error) {
  auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string_view text = torch_error ? torch_error->what_without_backtrace() : error.what();
  std::size_t start = 0;
  for (std::string_view mark : marks_of_an_error) {
    std::size_t at = text.rfind(mark);
    if (at != std::string_view::npos) start = std::max(start, at + mark.size());
  }
  return first_line_with_text(text.substr(start));
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error)) return true;
  return std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos;
}

Error out_of_memory(const std::string& path) {
  return Error(Failure::limit, path, "there is not enough memory to load and run the model",
               "use a machine with more memory or smaller inputs");
}

}  // namespace gradscan
