#include "analyzer/capture/python_stack.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradscan {
namespace {

bool parse_frame(std::string_view line, Frame& frame) {
  std::size_t colon = line.rfind("): ");
  if (colon == std::string_view::npos) return false;
  std::size_t open = line.rfind('(', colon);
  if (open == std::string_view::npos) return false;
  frame = {line.substr(0, open), line.substr(open + 1, colon - open - 1), line.substr(colon + 3)};
  return !frame.line.empty() && std::all_of(frame.line.begin(), frame.line.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The files of the Python package whose functions run between the model's code and torch.
constexpr std::string_view gradscan_files[] = {"/gradscan/tracing.py", "/gradscan/observe.py", "/gradscan/intercept.py",
                                               "/gradscan/inline.py"};

bool in_gradscan(std::string file) {
  std::replace(file.begin(), file.end(), '\\', '/');
  return std::any_of(std::begin(gradscan_files), std::end(gradscan_files),
                     [&](std::string_view name) { return file.ends_with(name); });
}

bool is_installed(std::string file) {
  std::replace(file.begin(), file.end(), '\\', '/');
  return file.find("/site-packages/") != std::string::npos || file.find("/dist-packages/") != std::string::npos;
}

bool in_torch(std::string_view file) {
  return file.find("/torch/") != std::string_view::npos || file.find("\\torch\\") != std::string_view::npos;
}

}  // namespace

std::string Frame::where() const {
  std::size_t slash = file.find_last_of("/\\");
  std::string_view name = slash == std::string_view::npos ? file : file.substr(slash + 1);
  return fmt::format("{}:{}", name, line);
}

bool Frame::in_user_code() const {
  return !in_torch(file) && !in_gradscan(std::string(file));
}

bool Frame::calls_module() const {
  return function == "_slow_forward" && file.ends_with("module.py") && in_torch(file);
}

bool Frame::in_module_call() const {
  bool calls = function == "_slow_forward" || function == "_call_impl" || function == "_wrapped_call_impl";
  return calls && file.ends_with("module.py") && in_torch(file);
}

bool Frame::runs_checkpoint() const {
  return function == "checkpoint" && file.ends_with("checkpoint.py") && file.find("utils") != std::string_view::npos &&
         in_torch(file);
}

std::vector<Frame> parse_stack(std::string_view text) {
  std::vector<Frame> frames;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    Frame frame;
    if (!parse_frame(text.substr(0, end), frame)) break;
    frames.push_back(frame);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return frames;
}

const Frame* user_frame(const std::vector<Frame>& frames) {
  auto found = std::find_if(frames.begin(), frames.end(), [](const Frame& frame) { return frame.in_user_code(); });
  return found == frames.end() ? nullptr : &*found;
}

std::string own_line(const std::vector<Frame>& frames) {
  auto found = std::find_if(frames.begin(), frames.end(),
                            [](const Frame& frame) { return frame.in_user_code() && !is_installed(std::string(frame.file)); });
  const Frame* frame = found == frames.end() ? user_frame(frames) : &*found;
  return frame ? fmt::format("{}:{}", frame->file, frame->line) : "";
}

std::string user_line(const std::vector<Frame>& frames) {
  const Frame* frame = user_frame(frames);
  return frame ? frame->where() : "";
}

}  // namespace gradscan
