// What leads from box to box: where backward starts, how it goes on from stage to stage, where DDP's search stops, and which
// lists hold the same parameter.
#include <algorithm>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "dot/scene/sketch.h"

namespace gradscan {
namespace {

constexpr const char* around = "around_model";

bool stands_around(const Report& report) {
  return report.setup.step.checkpoint_around == Kind::reentrant;
}

// Where the backward of what is drawn starts.
std::string source_of(const Report& report) {
  return stands_around(report) ? around : "output";
}

void add_checkpoint_around(Sketch& sketch) {
  Box box{.id = around, .shape = Box::checkpoint, .regions = Kind::reentrant, .conflict = has_conflict(sketch.report)};
  box.lines = {{"the whole model", Line::strong}, {"reentrant checkpoint around it"}};
  const bool unrecorded = is_unrecorded(sketch.report);
  box.lines.push_back({unrecorded ? "it records nothing: no backward runs" : "its inner backward runs all below", Line::small});
  sketch.scene.boxes.push_back(box);
  sketch.scene.links.push_back({.from = "output", .to = around, .meaning = unrecorded ? Link::silence : Link::backward});
}

bool stays_local(const Report& report) {
  return std::any_of(report.verdict.unsynchronised.begin(), report.verdict.unsynchronised.end(),
                     [&](int p) { return why_not_averaged(report, report.parameters[p]).cause == Cause::later_backward; });
}

// Backward passes of the same iteration besides the one that is drawn.
void add_other_backwards(Sketch& sketch, const std::string& to) {
  const auto add = [&](const std::string& id, std::vector<Line> lines, bool conflict) {
    sketch.scene.boxes.push_back({.id = id, .shape = Box::pass, .lines = std::move(lines), .conflict = conflict});
    sketch.scene.links.push_back({.from = id, .to = to, .meaning = Link::again});
  };
  const TrainingStep& step = sketch.report.setup.step;
  if (step.no_sync > 0)
    add("earlier_losses",
        {{"before it: " + count(step.no_sync, "backward") + " in no_sync()"}, {"to which DDP does not listen"}}, false);
  if (step.backwards < 2) return;
  const std::string which =
      step.backwards == 2 ? "backward 2 of this loss" : "backwards 2 to " + std::to_string(step.backwards);
  if (stays_local(sketch.report)) {
    add("later_backwards", {{which + ": DDP has finished,"}, {"what it adds stays on its own rank"}}, true);
  } else {
    add("later_backwards", {{which + ": every hook"}, {"of its way fires once more"}}, has_conflict(sketch.report));
  }
}

// What a stage sends goes to the next; all that is drawn of it stands above.
void add_next(Sketch& sketch, int stage, std::set<std::pair<std::string, std::string>>& drawn) {
  for (const int next : sketch.stage(stage).next) {
    const auto ends = std::pair(sketch.entry[stage], sketch.entry[next]);
    if (ends.first == ends.second || !drawn.insert(ends).second) continue;
    sketch.scene.links.push_back({.from = ends.first, .to = ends.second, .meaning = Link::backward});
    for (const std::string& list : sketch.lists_in[stage])
      sketch.scene.links.push_back({.from = list, .to = ends.second, .meaning = Link::below});
  }
}

// One column, for a picture that would else be too wide.
void add_column(Sketch& sketch) {
  const auto& segments = sketch.selection.segments;
  for (std::size_t k = 1; k < segments.size(); ++k) {
    const std::string &above = sketch.entry[segments[k - 1].first], &here = sketch.entry[segments[k].first];
    sketch.scene.links.push_back({.from = above, .to = here, .meaning = Link::below, .only_narrow = true});
    const auto& lists = sketch.lists_in[segments[k - 1].first];
    if (!lists.empty())
      sketch.scene.links.push_back({.from = lists.back(), .to = here, .meaning = Link::below, .only_narrow = true});
  }
}

void add_search_links(Sketch& sketch, const std::string& search, int stage, const std::vector<std::string>& lists) {
  const int region = sketch.stage(stage).region;
  if (region != none && sketch.report.regions[region].kind == Kind::reentrant)
    sketch.scene.links.push_back(
        {.from = search, .to = sketch.entry[stage], .meaning = Link::stop, .lines = {{"stops here"}}, .conflict = true});
  Box text{.id = "marking" + std::to_string(stage), .shape = Box::marking, .conflict = true};
  if (region != none) text.frame = "region" + std::to_string(region);
  text.lines = {{"mark 1: not found by the search,"}, {"so marked ready at once"}};
  sketch.scene.boxes.push_back(text);
  sketch.scene.links.push_back({.from = search, .to = text.id, .meaning = Link::mark, .conflict = true, .into_text = true});
  for (const std::string& list : lists)
    sketch.scene.links.push_back({.from = text.id, .to = list, .meaning = Link::mark, .conflict = true});
}

}  // namespace

void add_source(Sketch& sketch) {
  sketch.scene.boxes.push_back({.id = "output", .shape = Box::output, .lines = {{"model output → loss"}}});
  if (stands_around(sketch.report)) add_checkpoint_around(sketch);
}

void add_flow(Sketch& sketch) {
  std::set<std::pair<std::string, std::string>> drawn;
  std::vector<bool> receives(sketch.selection.stages.size());
  for (int i = 0; i < static_cast<int>(receives.size()); ++i) {
    for (const int next : sketch.stage(i).next) receives[next] = true;
    add_next(sketch, i, drawn);
  }
  const std::string source = source_of(sketch.report);
  bool first = true;
  for (int i = 0; i < static_cast<int>(receives.size()); ++i) {
    if (receives[i] || !drawn.insert({source, sketch.entry[i]}).second) continue;
    Link link{.from = source, .to = sketch.entry[i], .meaning = sketch.unreached(i) ? Link::silence : Link::backward};
    if (sketch.unreached(i)) link.lines = {{"no gradient comes"}};
    sketch.scene.links.push_back(link);
    if (std::exchange(first, false)) add_other_backwards(sketch, source == "output" ? sketch.entry[i] : source);
  }
  add_column(sketch);
}

// The search is drawn beside every stage that it fails to see, so that its links are short too.
void add_search(Sketch& sketch) {
  if (!searches(sketch.report.setup)) return;
  for (const auto& [stage, lists] : sketch.unseen_in) {
    const bool first = stage == sketch.unseen_in.begin()->first;
    Box box{.id = "search" + std::to_string(stage), .shape = Box::search, .lines = {{"DDP's search for", Line::strong}}};
    box.lines.push_back({"unused parameters", Line::strong});
    if (first) box.lines.push_back({"walks the graph from the", Line::small});
    if (first) box.lines.push_back({"output, before backward", Line::small});
    sketch.scene.boxes.push_back(box);
    if (first) sketch.scene.links.push_back({.from = "output", .to = box.id, .meaning = Link::walk});
    add_search_links(sketch, box.id, stage, lists);
  }
}

// Two lists are linked once, however many parameters they share; rows lead to the next use of their parameter.
void add_further_uses(Sketch& sketch) {
  std::map<std::pair<std::string, std::string>, std::vector<int>> shared;
  std::map<std::string, std::string> next_row;
  for (const auto& [parameter, uses] : sketch.uses) {
    for (std::size_t k = 0; k + 1 < uses.size(); ++k) {
      if (uses[k].list != uses[k + 1].list) shared[{uses[k].list, uses[k + 1].list}].push_back(parameter);
    }
    for (std::size_t k = 0; k < uses.size() && uses.size() > 1; ++k) next_row[uses[k].row] = uses[(k + 1) % uses.size()].row;
  }
  for (Box& box : sketch.scene.boxes)
    for (Row& row : box.rows)
      if (const auto next = next_row.find(row.id); next != next_row.end()) row.next = next->second;
  for (const auto& [lists, parameters] : shared) {
    const std::string words = parameters.size() == 1 ? "same parameter" : "same parameters";
    sketch.scene.links.push_back({.from = lists.first, .to = lists.second, .meaning = Link::same, .lines = {{words}}});
  }
}

}  // namespace gradscan
