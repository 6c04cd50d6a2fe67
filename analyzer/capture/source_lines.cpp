#include "analyzer/capture/source_lines.h"

#include <torch/csrc/jit/runtime/interpreter.h>

#include <optional>
#include <vector>

#include "analyzer/capture/python_stack.h"

namespace gradscan {
namespace {

using torch::jit::SourceRange;

// The range in the code that the file was made from, not in the code in the file.
std::optional<SourceRange> original(const SourceRange& range) {
  return range.source() ? range.findSourceRangeThatGenerated() : std::nullopt;
}

// For a scripted operation, whose original source is a file.
std::string scripted_line(const SourceRange& range) {
  auto place = range.file_line_col();
  if (!place) return "";
  Frame frame{.file = std::get<0>(*place)};
  std::string line = std::to_string(std::get<1>(*place));
  frame.line = line;
  return frame.in_user_code() ? frame.where() : "";
}

std::string user_line_of(const SourceRange& range) {
  auto source = original(range);
  if (!source || !source->source()) return "";
  std::string text = source->source()->text_str().str();
  std::vector<Frame> frames = parse_stack(text);
  return frames.empty() ? scripted_line(*source) : user_line(frames);
}

}  // namespace

std::string traced_stack(const SourceRange& range) {
  auto source = original(range);
  if (!source || !source->source()) return "";
  std::string text = source->source()->text_str().str();
  return parse_stack(text).empty() ? "" : text;
}

std::string current_source_line() {
  for (const torch::jit::StackEntry& entry : torch::jit::currentCallstack())
    if (std::string line = user_line_of(entry.range); !line.empty()) return line;
  return "";
}

}  // namespace gradscan
