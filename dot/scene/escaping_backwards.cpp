// Backward passes that leave their region: a closure leads an inner backward into the graph outside its region, and where two
// passes reach one node, torch stops with a message that names no parameter.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/text/foreign_text.h"
#include "dot/layout/labels.h"
#include "dot/layout/sizes.h"
#include "dot/scene/scene_draft.h"

namespace gradscan {
namespace {

constexpr std::size_t closures_drawn = 3;  // of one region
constexpr double message_width = 340;
constexpr std::size_t message_lines = 6;

// The box of the one stage that holds this place; empty if it could be several.
std::string stage_of(const SceneDraft& draft, const Place& place) {
  std::string found;
  const int top = place.region == none ? none : enclosing_regions(draft.report, place.region).front();
  for (const auto& [stage, box] : draft.entry) {
    const Stage& here = draft.stage(stage);
    const bool is_it =
        top != none ? here.region == top : here.region == none && !place.module.empty() && here.label == place.module;
    if (!is_it) continue;
    if (!found.empty() && found != box) return "";
    found = box;
  }
  return found;
}

std::vector<Line> lines_of(const SceneDraft& draft, const Place& place) {
  if (place.region != none) return {{"output of " + short_text(draft.names[place.region]), Line::strong}};
  const std::string made = place.module.empty() ? place.op : place.module;
  std::vector<Line> lines{{"made by " + short_text(made.empty() ? "the model" : made), Line::strong}};
  const std::string op = place.module.empty() ? "" : place.op;
  const std::string where = op + (op.empty() || place.source.empty() ? "" : ", ") + place.source;
  if (!where.empty()) lines.push_back({short_text(where, 44), Line::small});
  return lines;
}

// The node of a region's backward pass, if drawn; else the box of its stage.
std::string node_of(const SceneDraft& draft, int region) {
  if (draft.drawn_regions.contains(region)) return "checkpoint" + std::to_string(region);
  return stage_of(draft, {.region = region});
}

std::string add_tensor(SceneDraft& draft, const std::string& id, const Place& place, bool conflict) {
  Box box{.id = id, .shape = Box::tensor, .lines = lines_of(draft, place), .conflict = conflict};
  draft.scene.boxes.push_back(box);
  return box.id;
}

bool is_same(const Place& a, const Place& b) {
  return a.region == b.region && a.op == b.op && a.module == b.module && a.source == b.source;
}

void link_closure(SceneDraft& draft, int region, const std::string& to) {
  draft.scene.links.push_back({.from = "checkpoint" + std::to_string(region),
                               .to = to,
                               .meaning = Link::astray,
                               .lines = {{"uses this without"}, {"taking it as an argument"}},
                               .conflict = true});
}

void add_closures(SceneDraft& draft, const RegionReport& region) {
  for (std::size_t k = 0; k < region.closures.size() && k < closures_drawn; ++k) {
    const Place& place = region.closures[k];
    if (draft.report.second_run && is_same(place, draft.report.second_run->place)) continue;  // add_second_run() draws it
    const std::string node = "checkpoint" + std::to_string(region.id), stage = stage_of(draft, place);
    const std::string id = fmt::format("closure{}_{}", region.id, k);
    link_closure(draft, region.id, stage.empty() || stage == node ? add_tensor(draft, id, place, true) : stage);
  }
}

void add_second_run(SceneDraft& draft, const SecondRun& second_run) {
  const std::string id = add_tensor(draft, "second_run", second_run.place, true);
  std::vector<Line>& lines = draft.scene.boxes.back().lines;
  lines.push_back({fmt::format("{} backward passes reach this;", second_run.causes.size())});
  lines.push_back({"the first frees its saved tensors"});
  for (const Cause cause : second_run.causes) {
    const std::string stage = stage_of(draft, second_run.place);
    const std::string from = cause.is_region() ? node_of(draft, cause.region()) : stage.empty() ? "output" : stage;
    if (from.empty()) continue;
    const std::string words = cause.is_region() ? "inner backward" : outer_in_words(cause);
    draft.scene.links.push_back({.from = from,
                                 .to = id,
                                 .meaning = cause.is_region() ? Link::astray : Link::backward,
                                 .lines = {{words}},
                                 .conflict = true});
  }
}

}  // namespace

void add_message(SceneDraft& draft) {
  const bool error = draft.report.verdict.outcome != Outcome::pass;
  if (draft.report.verdict.outcome != Outcome::other && !(draft.selection.named.empty() && error)) return;
  Box box{.id = "message", .shape = Box::message, .lines = {{"torch says", Line::strong}}, .conflict = true};
  auto lines = wrap(legible(draft.report.verdict.message), message_width, points(Setting::body, Line::small), false);
  if (lines.size() > message_lines) lines.resize(message_lines);
  for (const std::string& line : lines) box.lines.push_back({line, Line::small});
  draft.scene.boxes.push_back(box);
  draft.scene.links.push_back({.from = "output", .to = "message", .meaning = Link::below});
}

void add_escaping_backwards(SceneDraft& draft) {
  const std::set<int> drawn = draft.drawn_regions;
  for (const int region : drawn) add_closures(draft, draft.report.regions[region]);
  if (draft.report.second_run) add_second_run(draft, *draft.report.second_run);
}

}  // namespace gradscan
