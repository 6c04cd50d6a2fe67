// Links between boxes: where backward starts, how it proceeds from stage to stage, where DDP's search stops, and which lists
// hold the same parameter.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "dot/scene/scene_draft.h"

namespace gradscan {
namespace {

constexpr const char* around = "around_model";

bool stands_around(const Report& report) {
  return report.setup.step.checkpoint_around == Kind::reentrant;
}

// Where the backward that is drawn starts.
std::string source_of(const Report& report) {
  return stands_around(report) ? around : "output";
}

void add_checkpoint_around(SceneDraft& draft) {
  Box box{.id = around, .shape = Box::checkpoint, .regions = Kind::reentrant, .conflict = has_conflict(draft.report)};
  box.lines = {{"the whole model", Line::strong}, {"reentrant checkpoint around it"}};
  const bool unrecorded = is_unrecorded(draft.report);
  box.lines.push_back(
      {unrecorded ? "it records nothing: no backward runs" : "its inner backward runs everything below", Line::small});
  draft.scene.boxes.push_back(box);
  draft.scene.links.push_back({.from = "output", .to = around, .meaning = unrecorded ? Link::silence : Link::backward});
}

bool stays_local(const Report& report) {
  return std::any_of(report.verdict.unsynchronised.begin(), report.verdict.unsynchronised.end(),
                     [&](int p) { return why_not_averaged(report, report.parameters[p]).reason == Reason::later_backward; });
}

// Other backward passes of the same iteration than the one drawn.
void add_other_backwards(SceneDraft& draft, const std::string& to) {
  const auto add = [&](const std::string& id, std::vector<Line> lines, bool conflict) {
    draft.scene.boxes.push_back({.id = id, .shape = Box::pass, .lines = std::move(lines), .conflict = conflict});
    draft.scene.links.push_back({.from = id, .to = to, .meaning = Link::again});
  };
  const TrainingStep& step = draft.report.setup.step;
  if (step.no_sync > 0)
    add("earlier_losses",
        {{fmt::format("before it: {} in no_sync(),", count(step.no_sync, "backward"))}, {"which DDP ignores"}}, false);
  if (step.backwards < 2) return;
  const std::string which = step.backwards == 2 ? "backward 2 of this loss" : fmt::format("backwards 2 to {}", step.backwards);
  if (stays_local(draft.report)) {
    add("later_backwards", {{which + ": DDP has finished,"}, {"so this gradient stays local to each rank"}}, true);
  } else {
    add("later_backwards", {{which + ": every hook"}, {"on its path fires once more"}}, has_conflict(draft.report));
  }
}

// Gradients flow from a stage to the next ones, which go below everything drawn of it.
void add_next(SceneDraft& draft, int stage, std::set<std::pair<std::string, std::string>>& drawn) {
  for (const int next : draft.stage(stage).next) {
    const auto ends = std::pair(draft.entry[stage], draft.entry[next]);
    if (ends.first == ends.second || !drawn.insert(ends).second) continue;
    draft.scene.links.push_back({.from = ends.first, .to = ends.second, .meaning = Link::backward});
    for (const std::string& list : draft.lists_in[stage])
      draft.scene.links.push_back({.from = list, .to = ends.second, .meaning = Link::below});
  }
}

// A single column, for a picture that would otherwise be too wide.
void add_column(SceneDraft& draft) {
  const auto& segments = draft.selection.segments;
  for (std::size_t k = 1; k < segments.size(); ++k) {
    const std::string &above = draft.entry[segments[k - 1].first], &here = draft.entry[segments[k].first];
    draft.scene.links.push_back({.from = above, .to = here, .meaning = Link::below, .only_narrow = true});
    const auto& lists = draft.lists_in[segments[k - 1].first];
    if (!lists.empty())
      draft.scene.links.push_back({.from = lists.back(), .to = here, .meaning = Link::below, .only_narrow = true});
  }
}

void add_search_links(SceneDraft& draft, const std::string& search, int stage, const std::vector<std::string>& lists) {
  const int region = draft.stage(stage).region;
  if (region != none && draft.report.regions[region].kind == Kind::reentrant)
    draft.scene.links.push_back(
        {.from = search, .to = draft.entry[stage], .meaning = Link::stop, .lines = {{"stops here"}}, .conflict = true});
  Box text{.id = "marking" + std::to_string(stage), .shape = Box::marking, .conflict = true};
  if (region != none) text.frame = "region" + std::to_string(region);
  text.lines = {{"mark 1: not found by the search,"}, {"so marked ready at once"}};
  draft.scene.boxes.push_back(text);
  draft.scene.links.push_back({.from = search, .to = text.id, .meaning = Link::mark, .conflict = true, .into_text = true});
  for (const std::string& list : lists)
    draft.scene.links.push_back({.from = text.id, .to = list, .meaning = Link::mark, .conflict = true});
}

}  // namespace

void add_source(SceneDraft& draft) {
  draft.scene.boxes.push_back({.id = "output", .shape = Box::output, .lines = {{"model output → loss"}}});
  if (stands_around(draft.report)) add_checkpoint_around(draft);
}

void add_flow(SceneDraft& draft) {
  std::set<std::pair<std::string, std::string>> drawn;
  std::vector<bool> receives(draft.selection.stages.size());
  for (int i = 0; i < static_cast<int>(receives.size()); ++i) {
    for (const int next : draft.stage(i).next) receives[next] = true;
    add_next(draft, i, drawn);
  }
  const std::string source = source_of(draft.report);
  bool first = true;
  for (int i = 0; i < static_cast<int>(receives.size()); ++i) {
    if (receives[i] || !drawn.insert({source, draft.entry[i]}).second) continue;
    Link link{.from = source, .to = draft.entry[i], .meaning = draft.unreached(i) ? Link::silence : Link::backward};
    if (draft.unreached(i)) link.lines = {{"no gradient arrives"}};
    draft.scene.links.push_back(link);
    if (std::exchange(first, false)) add_other_backwards(draft, source == "output" ? draft.entry[i] : source);
  }
  add_column(draft);
}

// The search is drawn beside every stage that it does not find, which keeps its links short, too.
void add_search(SceneDraft& draft) {
  if (!searches(draft.report.setup)) return;
  for (const auto& [stage, lists] : draft.unseen_in) {
    const bool first = stage == draft.unseen_in.begin()->first;
    Box box{.id = "search" + std::to_string(stage), .shape = Box::search, .lines = {{"DDP's search for", Line::strong}}};
    box.lines.push_back({"unused parameters", Line::strong});
    if (first) box.lines.push_back({"walks the graph from the", Line::small});
    if (first) box.lines.push_back({"output, before backward", Line::small});
    draft.scene.boxes.push_back(box);
    if (first) draft.scene.links.push_back({.from = "output", .to = box.id, .meaning = Link::walk});
    add_search_links(draft, box.id, stage, lists);
  }
}

// Two lists are linked once, however many parameters they share; each row leads to the next use of its parameter.
void add_further_uses(SceneDraft& draft) {
  std::map<std::pair<std::string, std::string>, std::vector<int>> shared;
  std::map<std::string, std::string> next_row;
  for (const auto& [parameter, uses] : draft.uses) {
    for (std::size_t k = 0; k + 1 < uses.size(); ++k) {
      if (uses[k].list != uses[k + 1].list) shared[{uses[k].list, uses[k + 1].list}].push_back(parameter);
    }
    for (std::size_t k = 0; k < uses.size() && uses.size() > 1; ++k) next_row[uses[k].row] = uses[(k + 1) % uses.size()].row;
  }
  for (Box& box : draft.scene.boxes)
    for (Row& row : box.rows)
      if (const auto next = next_row.find(row.id); next != next_row.end()) row.next = next->second;
  for (const auto& [lists, parameters] : shared) {
    const std::string words = parameters.size() == 1 ? "same parameter" : "same parameters";
    draft.scene.links.push_back({.from = lists.first, .to = lists.second, .meaning = Link::same, .lines = {{words}}});
  }
}

}  // namespace gradscan
