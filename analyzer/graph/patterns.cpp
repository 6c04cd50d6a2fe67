#include "analyzer/graph/patterns.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "analyzer/presets/presets.h"
#include "analyzer/text/near_matches.h"

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
    throw wrong_input(text, "\"" + dtype + "\" is not the name of a dtype");
  }
}

// The numbers of "2,3,224,224"; an empty text is a scalar's shape.
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
      throw Error(Failure::usage, "--checkpoint " + text, "\"" + kind + "\" is not a kind of checkpoint",
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
  input.origin = "--input";
  std::int64_t bytes = checked_element_size(text, input.dtype);
  input.shape = parse_shape(text, std::string_view(text).substr(bracket + 1, text.size() - bracket - 2));
  check_size(text, bytes, input.shape);
  return input;
}

bool glob_match(std::string_view glob, std::string_view name) {
  return fnmatch(std::string(glob).c_str(), std::string(name).c_str(), 0) == 0;
}

std::vector<std::size_t> outermost_matches(const std::string& glob, const std::vector<std::string>& paths) {
  std::vector<std::size_t> matches;
  for (std::size_t k = 0; k < paths.size(); ++k) {
    if (!matches.empty() && paths[k].starts_with(paths[matches.back()] + '.')) continue;
    if (!paths[k].empty() && glob_match(glob, paths[k])) matches.push_back(k);
  }
  return matches;
}

void apply_patterns(Capture& capture, const std::vector<CheckpointPattern>& patterns) {
  for (const CheckpointPattern& pattern : patterns) {
    bool matched = false;
    for (Region& region : capture.regions) {
      if (!glob_match(pattern.glob, region.name)) continue;
      region.kind = pattern.kind;
      matched = true;
    }
    if (matched) continue;
    if (const Preset* preset = preset_named(pattern.glob)) throw has_no_classes(*preset);
    std::vector<std::string> names;
    for (const Region& region : capture.regions) names.push_back(region.name);
    throw no_match(pattern, names);
  }
}

namespace {

// The characters of a glob that stand for themselves.
std::string literal_part(std::string glob) {
  std::erase_if(glob, [](char c) { return std::string_view("*?[]\\").find(c) != std::string_view::npos; });
  while (glob.ends_with('.')) glob.pop_back();
  return glob;
}

// The modules so deep as this path around (or at) each of the names.
std::vector<std::string> as_deep_as(const std::string& path, const std::vector<std::string>& names) {
  auto components = std::count(path.begin(), path.end(), '.') + 1;
  std::vector<std::string> modules;
  for (const std::string& name : names) {
    std::size_t end = 0;
    for (auto left = components; left > 0 && end != std::string::npos; --left) end = name.find('.', end == 0 ? 0 : end + 1);
    modules.push_back(name.substr(0, end));
  }
  return modules;
}

std::string first_three(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t at = 0; at < names.size() && at < 3; ++at) text += (at == 0 ? "" : ", ") + names[at];
  return names.size() > 3 ? text + ", ..." : text;
}

}  // namespace

Error no_match(const CheckpointPattern& pattern, const std::vector<std::string>& names) {
  std::string remedy = did_you_mean(pattern.glob, names);
  std::string literal = literal_part(pattern.glob);
  if (remedy.empty()) remedy = did_you_mean(literal, as_deep_as(literal, names));
  if (remedy.empty()) remedy = "the model has " + (names.empty() ? "none" : first_three(names));
  return Error(Failure::usage, "--checkpoint " + pattern.glob, "matches no module or checkpoint region", remedy);
}

}  // namespace gradscan
