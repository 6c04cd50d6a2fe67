// Boxes for stages that are not drawn in full. A box sums up its stages: how many regions and parameters there are, how often
// the parameters fire, and whether they are in the same conflict as what is drawn in full.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "dot/scene/scene_draft.h"

namespace gradscan {
namespace {

struct Content {
  std::vector<int> parameters, conflicting;  // DDP indices, ascending
  std::vector<int> regions;                  // outermost ones
  std::set<Kind> kinds;
};

Content content_of(const SceneDraft& draft, const Segment& segment) {
  Content content;
  std::set<int> parameters;
  for (int i = segment.first; i <= segment.last; ++i) {
    const Stage& stage = draft.stage(i);
    parameters.insert(stage.parameters.begin(), stage.parameters.end());
    if (stage.region == none) continue;
    content.regions.push_back(stage.region);
    content.kinds.insert(draft.report.regions[stage.region].kind);
  }
  content.parameters.assign(parameters.begin(), parameters.end());
  std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(content.conflicting),
               [&](int p) { return draft.selection.in_conflict(p); });
  return content;
}

std::string fold_name(const SceneDraft& draft, const Segment& segment, int columns) {
  if (segment.first == segment.last) return short_text(draft.call_name(segment.first), columns);
  const std::string first = short_text(draft.call_name(segment.first), columns / 2);
  const std::string last = short_text(draft.call_name(segment.last), columns / 2);
  return fmt::format("{}{}{}", first, segment.last - segment.first == 1 ? ", " : " … ", last);
}

std::string size_in_words(const Segment& segment, const Content& content) {
  const std::size_t outside = segment.last - segment.first + 1 - content.regions.size();
  const std::string kind = content.kinds.size() == 1 ? in_words(*content.kinds.begin()) + " region" : "region";
  std::vector<std::string> parts;
  if (!content.regions.empty()) parts.push_back(count(content.regions.size(), kind));
  if (!content.regions.empty() && outside > 0) parts.push_back(count(outside, "stage") + " outside");
  parts.push_back(count(content.parameters.size(), "parameter"));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string calm_fate(const SceneDraft& draft, const std::vector<int>& parameters) {
  std::set<int> firings;
  for (const int p : parameters) firings.insert(static_cast<int>(draft.report.parameters[p].heard.size()));
  const std::string each = parameters.size() == 1 ? "" : "each ";
  if (firings == std::set<int>{1}) return parameters.size() == 1 ? "fires once" : "each fires once";
  return firings.empty() ? "nothing to fire" : each + range(firings, "firing");
}

// Whether stages drawn in full show parameters with these numbers of firings and marks.
bool shown_in_full(const SceneDraft& draft, const std::vector<int>& parameters) {
  std::set<std::string> shown;
  for (const Segment& segment : draft.selection.segments) {
    if (!segment.full) continue;
    for (const Use& use : draft.selection.uses[segment.first])
      if (draft.selection.in_conflict(use.parameter)) shown.insert(fate(draft.report, {use.parameter}));
  }
  return std::all_of(parameters.begin(), parameters.end(), [&](int p) { return shown.contains(fate(draft.report, {p})); });
}

std::string shared_fate(const SceneDraft& draft, const Content& content) {
  const auto& conflicting = content.conflicting;
  const bool all = conflicting.size() == content.parameters.size();
  return fmt::format("{}{}{}: {}", all ? "" : fmt::format("{} of them: ", conflicting.size()), fate(draft.report, conflicting),
                     conflicting.size() > 1 ? " each" : "",
                     shown_in_full(draft, conflicting) ? "same conflict" : "also in conflict");
}

// Whether DDP considers everything ready, too early, inside one of these regions.
bool finishes_in(const SceneDraft& draft, const Content& content) {
  const auto& last_mark = draft.report.verdict.last_mark;
  if (!last_mark || !last_mark->cause.is_region()) return false;
  const auto around = enclosing_regions(draft.report, last_mark->cause.region());
  return !around.empty() && std::find(content.regions.begin(), content.regions.end(), around.front()) != content.regions.end();
}

bool all_seen(const SceneDraft& draft, const Content& content) {
  const auto seen = [&](int p) { return draft.report.parameters[p].seen_by_search; };
  return searches(draft.report.setup) && !content.parameters.empty() &&
         std::all_of(content.parameters.begin(), content.parameters.end(), seen);
}

}  // namespace

void add_fold(SceneDraft& draft, const Segment& segment) {
  const Content content = content_of(draft, segment);
  Box box{.id = "stage" + std::to_string(segment.first), .shape = content.regions.empty() ? Box::stage : Box::fold};
  if (content.kinds.size() == 1) box.regions = *content.kinds.begin();
  box.folds = segment.last - segment.first + 1;
  box.conflict = !content.conflicting.empty();
  if (content.regions.size() == 1 && box.folds == 1) box.region = content.regions[0];
  box.first_stage = draft.selection.position[segment.first], box.last_stage = draft.selection.position[segment.last];
  box.whole = fmt::format("{}: {}", fold_name(draft, segment, 400), size_in_words(segment, content));
  box.lines.push_back({fold_name(draft, segment, 48), Line::strong});
  box.lines.push_back({size_in_words(segment, content)});
  box.lines.push_back({box.conflict ? shared_fate(draft, content) : calm_fate(draft, content.parameters)});
  if (!box.conflict && all_seen(draft, content)) box.lines.push_back({"found by DDP's search", Line::small});
  if (finishes_in(draft, content)) box.lines.push_back({finish_in_words});
  for (int i = segment.first; i <= segment.last; ++i) draft.entry[i] = box.id;
  draft.scene.boxes.push_back(box);
}

}  // namespace gradscan
