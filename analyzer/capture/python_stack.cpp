#include "analyzer/capture/python_stack.h"

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

}  // namespace

std::string Frame::where() const {
  std::size_t slash = file.find_last_of("/\\");
  std::string_view name = slash == std::string_view::npos ? file : file.substr(slash + 1);
  return std::string(name) + ":" + std::string(line);
}

bool Frame::in_torch() const {
  // gradscan.export sees every call of torch on its way.
  if (file.ends_with("/gradscan/tracing.py") || file.ends_with("\\gradscan\\tracing.py")) return true;
  return file.find("/torch/") != std::string_view::npos || file.find("\\torch\\") != std::string_view::npos;
}

bool Frame::calls_module() const {
  return function == "_slow_forward" && file.ends_with("module.py") && in_torch();
}

bool Frame::in_module_call() const {
  bool calls = function == "_slow_forward" || function == "_call_impl" || function == "_wrapped_call_impl";
  return calls && file.ends_with("module.py") && in_torch();
}

bool Frame::runs_checkpoint() const {
  return function == "checkpoint" && file.ends_with("checkpoint.py") && file.find("utils") != std::string_view::npos &&
         in_torch();
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

std::string user_line(const std::vector<Frame>& frames) {
  for (const Frame& frame : frames)
    if (!frame.in_torch()) return frame.where();
  return "";
}

}  // namespace gradscan
