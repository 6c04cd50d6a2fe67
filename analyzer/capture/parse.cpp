#include "gradscan/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "analyzer/presets/presets.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

std::optional<Kind> kind_from(std::string text) {
  std::replace(text.begin(), text.end(), '-', '_');
  for (Kind kind : {Kind::reentrant, Kind::non_reentrant, Kind::off})
    if (to_string(kind) == text) return kind;
  return {};
}

Error wrong_input(const std::string& text, const std::string& problem) {
  return Error(Failure::usage, "--input " + text, problem, "write NAME=DTYPE[SHAPE], for example x=float32[2,3,224,224]");
}

std::int64_t checked_element_size(const std::string& text, const std::string& dtype) {
  try {
    return element_size(dtype);
  } catch (const Error&) {
    throw wrong_input(text, fmt::format("\"{}\" is not the name of a dtype", dtype));
  }
}

// The numbers in "2,3,224,224"; empty text is the shape of a scalar.
std::vector<std::int64_t> parse_shape(const std::string& text, std::string_view list) {
  std::vector<std::int64_t> shape;
  const char* position = list.data();
  const char* end = position + list.size();
  while (position != end) {
    if (!shape.empty() && *position++ != ',') throw wrong_input(text, "the shape is not a list of sizes");
    while (position != end && *position == ' ') ++position;
    auto [next, failed] = std::from_chars(position, end, shape.emplace_back());
    if (failed != std::errc{} || shape.back() < 0) throw wrong_input(text, "the shape is not a list of sizes");
    position = next;
  }
  return shape;
}

void check_size(const std::string& text, std::int64_t bytes, const std::vector<std::int64_t>& shape) {
  for (std::int64_t size : shape) {
    if (size != 0 && bytes > std::numeric_limits<std::int64_t>::max() / size)
      throw wrong_input(text, "the tensor is too large");
    bytes *= size;
  }
}

}  // namespace

CheckpointPattern parse_checkpoint_pattern(const std::string& text) {
  CheckpointPattern pattern{.glob = text.substr(0, text.rfind('='))};
  if (const Preset* preset = preset_named(pattern.glob)) pattern.kind = preset->kind;
  if (pattern.glob.size() < text.size()) {
    std::string kind = text.substr(pattern.glob.size() + 1);
    std::optional<Kind> known = kind_from(kind);
    if (!known)
      throw Error(Failure::usage, "--checkpoint " + text, fmt::format("\"{}\" is not a kind of checkpoint", kind),
                  "write reentrant, non-reentrant or off");
    pattern.kind = *known;
  }
  if (pattern.glob.empty())
    throw Error(Failure::usage, "--checkpoint " + text, "the pattern is empty", "write a module path, for example layer4.*");
  return pattern;
}

Input parse_input(const std::string& text) {
  std::size_t equals = text.find('='), bracket = text.find('[', std::min(equals, text.size()));
  if (equals == std::string::npos || equals == 0) throw wrong_input(text, "the input has no name");
  if (bracket == std::string::npos || text.back() != ']') throw wrong_input(text, "the input has no [SHAPE]");
  Input input;
  input.name = text.substr(0, equals);
  input.dtype = text.substr(equals + 1, bracket - equals - 1);
  input.origin = InputOrigin::option;
  std::int64_t bytes = checked_element_size(text, input.dtype);
  input.shape = parse_shape(text, std::string_view(text).substr(bracket + 1, text.size() - bracket - 2));
  check_size(text, bytes, input.shape);
  return input;
}

}  // namespace gradscan
