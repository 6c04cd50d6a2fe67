// Where backward passes go besides their own way: a closure leads an inner backward into the graph outside of its region, and
// where two passes come to one node, torch stops with words that name no parameter.
#include <algorithm>

#include "analyzer/text/foreign_text.h"
#include "dot/layout/extents.h"
#include "dot/layout/labels.h"
#include "dot/scene/sketch.h"

namespace gradscan {
namespace {

constexpr std::size_t closures_drawn = 3;  // of one region
constexpr double message_width = 340;
constexpr std::size_t message_lines = 6;

// The box of the stage that surely holds this place; empty if several may.
std::string stage_of(const Sketch& sketch, const Place& place) {
  std::string found;
  const int top = place.region == none ? none : enclosing_regions(sketch.report, place.region).front();
  for (const auto& [stage, box] : sketch.entry) {
    const Stage& here = sketch.stage(stage);
    const bool is_it =
        top != none ? here.region == top : here.region == none && !place.module.empty() && here.label == place.module;
    if (!is_it) continue;
    if (!found.empty() && found != box) return "";
    found = box;
  }
  return found;
}

std::vector<Line> lines_of(const Sketch& sketch, const Place& place) {
  if (place.region != none) return {{"output of " + short_text(sketch.names[place.region]), Line::strong}};
  const std::string made = place.module.empty() ? place.op : place.module;
  std::vector<Line> lines{{"made by " + short_text(made.empty() ? "the model" : made), Line::strong}};
  const std::string op = place.module.empty() ? "" : place.op;
  const std::string where = op + (op.empty() || place.source.empty() ? "" : ", ") + place.source;
  if (!where.empty()) lines.push_back({short_text(where, 44), Line::small});
  return lines;
}

// The node of a region's backward pass, if it is drawn.
std::string node_of(const Sketch& sketch, int region) {
  if (sketch.drawn_regions.contains(region)) return "checkpoint" + std::to_string(region);
  return stage_of(sketch, {.region = region});
}

std::string add_tensor(Sketch& sketch, const std::string& id, const Place& place, bool conflict) {
  Box box{.id = id, .shape = Box::tensor, .lines = lines_of(sketch, place), .conflict = conflict};
  sketch.scene.boxes.push_back(box);
  return box.id;
}

bool is_same(const Place& a, const Place& b) {
  return a.region == b.region && a.op == b.op && a.module == b.module && a.source == b.source;
}

void link_closure(Sketch& sketch, int region, const std::string& to) {
  sketch.scene.links.push_back({.from = "checkpoint" + std::to_string(region),
                                .to = to,
                                .meaning = Link::astray,
                                .lines = {{"uses this without having"}, {"it as an argument"}},
                                .conflict = true});
}

void add_closures(Sketch& sketch, const RegionReport& region) {
  for (std::size_t k = 0; k < region.closures.size() && k < closures_drawn; ++k) {
    const Place& place = region.closures[k];
    if (sketch.report.second_run && is_same(place, sketch.report.second_run->place)) continue;  // drawn as such
    const std::string node = "checkpoint" + std::to_string(region.id), stage = stage_of(sketch, place);
    const std::string id = "closure" + std::to_string(region.id) + "_" + std::to_string(k);
    link_closure(sketch, region.id, stage.empty() || stage == node ? add_tensor(sketch, id, place, true) : stage);
  }
}

void add_second_run(Sketch& sketch, const SecondRun& second_run) {
  const std::string id = add_tensor(sketch, "second_run", second_run.place, true);
  std::vector<Line>& lines = sketch.scene.boxes.back().lines;
  lines.push_back({std::to_string(second_run.causes.size()) + " backward passes come here;"});
  lines.push_back({"the first frees the tensors that it saves"});
  for (const int cause : second_run.causes) {
    const std::string stage = stage_of(sketch, second_run.place);
    const std::string from = cause >= 0 ? node_of(sketch, cause) : stage.empty() ? "output" : stage;
    if (from.empty()) continue;
    const std::string words = cause >= 0 ? "inner backward" : outer_in_words(cause);
    sketch.scene.links.push_back(
        {.from = from, .to = id, .meaning = cause >= 0 ? Link::astray : Link::backward, .lines = {{words}}, .conflict = true});
  }
}

}  // namespace

void add_message(Sketch& sketch) {
  const bool error = sketch.report.verdict.outcome != Outcome::pass;
  if (sketch.report.verdict.outcome != Outcome::other && !(sketch.selection.named.empty() && error)) return;
  Box box{.id = "message", .shape = Box::message, .lines = {{"torch says", Line::strong}}, .conflict = true};
  auto lines = wrap(legible(sketch.report.verdict.message), message_width, points(Setting::body, Line::small), false);
  if (lines.size() > message_lines) lines.resize(message_lines);
  for (const std::string& line : lines) box.lines.push_back({line, Line::small});
  sketch.scene.boxes.push_back(box);
  sketch.scene.links.push_back({.from = "output", .to = "message", .meaning = Link::below});
}

void add_strays(Sketch& sketch) {
  const std::set<int> drawn = sketch.drawn_regions;
  for (const int region : drawn) add_closures(sketch, sketch.report.regions[region]);
  if (sketch.report.second_run) add_second_run(sketch, *sketch.report.second_run);
}

}  // namespace gradscan
