#include "analyzer/graph/patterns.h"

#include <algorithm>

#include "analyzer/graph/observed.h"
#include "analyzer/presets/presets.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/near_matches.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

// The characters of a glob that stand for themselves.
std::string literal_part(std::string glob) {
  std::erase_if(glob, [](char c) { return std::string_view("*?[]\\").find(c) != std::string_view::npos; });
  while (glob.ends_with('.')) glob.pop_back();
  return glob;
}

// Each of the names, or the module around it, cut to the depth of this path.
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

}  // namespace

std::vector<std::size_t> outermost_matches(const std::string& glob, const std::vector<std::string>& paths) {
  std::vector<std::size_t> matches;
  for (std::size_t k = 0; k < paths.size(); ++k) {
    if (!matches.empty() && paths[k].starts_with(paths[matches.back()] + '.')) continue;
    if (!paths[k].empty() && glob_match(glob, paths[k])) matches.push_back(k);
  }
  return matches;
}

bool matches_region(const Capture& capture, const std::string& glob) {
  return std::ranges::any_of(capture.regions, [&](const Region& region) { return glob_match(glob, region.name); });
}

void apply_patterns(Capture& capture, const std::vector<CheckpointPattern>& patterns) {
  if (!patterns.empty()) settle_observation(capture);
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

void apply_patterns(const std::vector<Capture*>& graphs, const std::vector<CheckpointPattern>& patterns) {
  for (const CheckpointPattern& pattern : patterns) {
    if (std::ranges::none_of(graphs, [&](const Capture* graph) { return matches_region(*graph, pattern.glob); }))
      apply_patterns(*graphs.front(), {pattern});  // throws
    for (Capture* graph : graphs)
      if (matches_region(*graph, pattern.glob)) apply_patterns(*graph, {pattern});
  }
}

Error no_match(const CheckpointPattern& pattern, const std::vector<std::string>& names) {
  std::string remedy = did_you_mean(pattern.glob, names);
  std::string literal = literal_part(pattern.glob);
  if (remedy.empty()) remedy = did_you_mean(literal, as_deep_as(literal, names));
  if (remedy.empty()) remedy = "the model has " + (names.empty() ? "none" : first_three(names));
  return Error(Failure::usage, "--checkpoint " + pattern.glob, "matches no module or checkpoint region", remedy);
}

}  // namespace gradscan
