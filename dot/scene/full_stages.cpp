// A stage in full: the nested frames of its regions and, below each checkpoint node, the parameters that its backward pass
// fires. A list holds parameters to which the same happens for the same reason, so that the reason appears once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "dot/scene/scene_draft.h"

namespace gradscan {
namespace {

constexpr std::size_t rows_drawn = 3;       // of a list, if a few stand for all
constexpr std::size_t rows_drawn_all = 24;  // ... of the whole model, or of a region in focus
constexpr std::size_t lists_drawn = 3;      // in one stage
constexpr std::size_t nesting_drawn = 3;    // nested frames

bool silent(const Report& report) {
  return report.verdict.outcome == Outcome::pass;
}

// ---- Regions.

std::string why_in_words(Reason reason, const RegionReport& region) {
  if (reason == Reason::nested_outputs) return "its outputs are inside a dict or list";
  if (reason != Reason::no_argument_with_grad) return "no gradient reaches it";
  if (region.arguments == 0) return "it has no tensor argument";
  return region.arguments == 1 ? "its argument does not require grad" : "none of its tensor arguments requires grad";
}

std::vector<Line> checkpoint_lines(const SceneDraft& draft, const RegionReport& region) {
  const std::string kind = region.kind == Kind::off ? "region, not checkpointed" : in_words(region.kind) + " checkpoint region";
  std::vector<Line> lines{{short_text(draft.names[region.id], 44), Line::strong}, {kind}};
  if (!region.source.empty()) lines.push_back({"checkpoint called at " + short_text(region.source), Line::small});
  if (region.kind != Kind::reentrant) {
    lines.push_back({"the graph inside is part of the outer graph", Line::small});
  } else if (region.executed) {
    lines.push_back({"the graph inside exists only during backward", Line::small});
    const auto& last_mark = draft.report.verdict.last_mark;
    if (last_mark && last_mark->cause == region.id) lines.push_back({finish_in_words});
  } else {
    lines.push_back({"its backward never runs:"});
    lines.push_back({why_in_words(why_not_executed(region), region)});
  }
  return lines;
}

std::string whole_region(const SceneDraft& draft, const RegionReport& region) {
  std::vector<std::string> facts{count(region.parameters.size(), "parameter")};
  if (!region.source.empty()) facts.push_back("checkpoint called at " + short_text(region.source, 200));
  if (region.origin != RegionOrigin::unknown) facts.push_back("known from " + std::string(origin_in_words(region.origin)));
  if (region.saved_bytes > 0) facts.push_back("saves " + bytes(region.saved_bytes));
  return fmt::format("{}: {}", short_text(draft.names[region.id], 400), fmt::join(facts, ", "));
}

bool holds_conflict(const SceneDraft& draft, const RegionReport& region) {
  const bool named =
      std::any_of(region.parameters.begin(), region.parameters.end(), [&](int p) { return draft.selection.in_conflict(p); });
  return named || (draft.report.second_run &&
                   std::count(draft.report.second_run->causes.begin(), draft.report.second_run->causes.end(), region.id) > 0);
}

// Draws the frame and the checkpoint node of a region, once; returns the node.
std::string add_region(SceneDraft& draft, int id, const std::string& around) {
  const std::string node = "checkpoint" + std::to_string(id), frame = "region" + std::to_string(id);
  if (!draft.drawn_regions.insert(id).second) return node;
  const RegionReport& region = draft.report.regions[id];
  const bool conflict = holds_conflict(draft, region);
  draft.scene.frames.push_back({.id = frame, .parent = around, .kind = region.kind, .conflict = conflict, .region = id});
  Box box{.id = node, .shape = Box::checkpoint, .frame = frame, .regions = region.kind, .conflict = conflict, .region = id};
  box.lines = checkpoint_lines(draft, region);
  box.whole = whole_region(draft, region);
  draft.scene.boxes.push_back(box);
  return node;
}

void link_nested(SceneDraft& draft, const std::string& above, const std::string& node, std::size_t left_out) {
  Link link{.from = above, .to = node, .meaning = Link::backward, .lines = {{"runs inside"}}};
  if (left_out > 0) link.lines = {{"through " + count(left_out, "nested region")}, {"not drawn"}};
  draft.scene.links.push_back(link);
}

// ---- Lists.

struct List {
  int stage = 0;
  std::string id, frame;
  std::vector<Use> uses;
  const Use& first() const { return uses.front(); }
};

// Named parameters rank first, in the order of the message.
std::size_t rank(const SceneDraft& draft, int parameter) {
  const auto& named = draft.selection.named;
  return std::find(named.begin(), named.end(), parameter) - named.begin();
}

// Whether the focus is this parameter, or a region that holds it.
bool in_focus(const SceneDraft& draft, int parameter) {
  const Focus& focus = draft.selection.focus;
  return std::binary_search(focus.parameters.begin(), focus.parameters.end(), parameter);
}

// Whether DDP has finished before this firing. False for a later backward, and if only some firings in one region are late.
bool is_late(const SceneDraft& draft, const Use& use) {
  const LocalGradient* local = local_gradient(draft.report, use.parameter);
  if (!local || draft.report.setup.step.backwards > 1) return false;
  const std::vector<Cause>& heard = draft.report.parameters[use.parameter].heard;
  const auto late = std::count(local->late.begin(), local->late.end(), use.cause);
  return late > 0 && late == std::count(heard.begin(), heard.end(), use.cause);
}

// One list for all that fires in the same region, by the same backward pass, equally often.
std::vector<List> lists_of(const SceneDraft& draft, int stage) {
  using Key = std::tuple<int, Cause, int, int, std::string, bool, bool, bool>;
  std::map<Key, std::vector<Use>> lists;
  for (const Use& use : draft.selection.uses[stage]) {
    const bool seen = draft.report.parameters[use.parameter].seen_by_search;
    lists[{use.region, use.cause, use.number, use.last, fate(draft.report, {use.parameter}), is_late(draft, use), seen,
           draft.selection.in_conflict(use.parameter)}]
        .push_back(use);
  }
  std::vector<List> ordered;
  const auto order = [&](const Use& use) { return std::pair(!in_focus(draft, use.parameter), rank(draft, use.parameter)); };
  const auto before = [&](const Use& a, const Use& b) { return order(a) < order(b); };
  for (auto& [reason, uses] : lists) {
    std::stable_sort(uses.begin(), uses.end(), before);
    ordered.push_back({stage, "", uses[0].region == none ? "" : "region" + std::to_string(uses[0].region), uses});
  }
  std::stable_sort(ordered.begin(), ordered.end(), [&](auto& a, auto& b) { return before(a.first(), b.first()); });
  for (std::size_t k = 0; k < ordered.size(); ++k) ordered[k].id = fmt::format("{}_{}", stage, k);
  return ordered;
}

// Whether an outer backward fires a parameter although only a reentrant region uses it here: the loss uses it directly.
bool taken_by_loss(const SceneDraft& draft, int stage, const Use& use) {
  return use.number > 0 && !use.cause.is_region() && use.region == none && draft.stage(stage).region != none &&
         draft.report.parameters[use.parameter].used_by_loss;
}

Link::Meaning firing_or_silence(const Use& use) {
  return use.number > 0 ? Link::firing : Link::silence;
}

// The search marks first, then the firings. 0 if there are other marks.
int mark_number(const Report& report, const Use& use) {
  const ParameterReport& parameter = report.parameters[use.parameter];
  const bool by_search = marked_by_search(report, parameter);
  const int marks = static_cast<int>(parameter.heard.size()) + by_search;
  return marks == marks_asked(report, parameter) ? use.number + by_search : 0;
}

std::string silence_in_words(const SceneDraft& draft, int stage, const ParameterReport& parameter) {
  if (!parameter.idle_in.empty() && parameter.idle_in.size() < draft.report.in_turn.size()) return "not in every graph";
  return draft.unreached(stage) ? "the loss does not use them" : "no gradient arrives: never fires";
}

// "mark 2", "marks 2 to 4"
std::string numbers_in_words(const std::string& noun, int first, int last) {
  if (first == last) return fmt::format("{} {}", noun, first);
  return fmt::format("{}s {} {} {}", noun, first, last - first == 1 ? "and" : "to", last);
}

// The text on the link to a list.
std::vector<Line> pass_lines(const SceneDraft& draft, const List& list) {
  const Use& use = list.first();
  if (use.number == 0) return {{silence_in_words(draft, list.stage, draft.report.parameters[use.parameter])}};
  const int mark = draft.selection.in_conflict(use.parameter) ? mark_number(draft.report, use) : 0;
  const std::string hooks = list.uses.size() == 1 ? "the hook fires" : "hooks fire";
  const std::string marks = numbers_in_words("mark", mark, mark + use.last - use.number);
  const std::string when = is_late(draft, use) ? "too late: " : mark > 0 ? marks + ": " : "";
  if (!use.cause.is_region()) return {{when + hooks + " in"}, {"the " + outer_in_words(use.cause)}};
  return {{when + hooks + " in the"}, {"inner backward of " + short_text(draft.names[use.cause.region()], 24)}};
}

std::string add_pass(SceneDraft& draft, const List& list) {
  const Use& use = list.first();
  const bool conflict = draft.selection.in_conflict(use.parameter);
  const std::string from = taken_by_loss(draft, list.stage, use) ? "output" : add_nesting(draft, list.stage, use.region);
  Box box{.id = "pass" + list.id, .shape = Box::pass, .frame = list.frame, .conflict = conflict};
  box.lines = pass_lines(draft, list);
  draft.scene.boxes.push_back(box);
  draft.scene.links.push_back(
      {.from = from, .to = box.id, .meaning = firing_or_silence(use), .conflict = conflict, .into_text = true});
  return box.id;
}

// A name without the path of its region, which is shown above it.
std::string name_in_region(const SceneDraft& draft, const Use& use) {
  const std::string& full = draft.report.parameters[use.parameter].name;
  const std::string path = use.region == none ? "" : draft.report.regions[use.region].name + ".";
  if (use.region == none || full.size() <= path.size() || full.compare(0, path.size(), path) != 0) return short_text(full);
  return short_text(full.substr(path.size()));
}

std::string whole_parameter(const Report& report, int parameter) {
  const ParameterReport& shown = report.parameters[parameter];
  return fmt::format("{} (#{}), {}: {}", short_text(shown.name, 400), parameter,
                     legible(tensor_in_words(shown.dtype, shown.shape)), fate(report, {parameter}));
}

Row row_of(const SceneDraft& draft, const Use& use) {
  const std::size_t number = rank(draft, use.parameter);
  Row row{.id = fmt::format("parameter{}_{}", use.parameter, use.number),
          .parameters = {use.parameter},
          .whole = whole_parameter(draft.report, use.parameter),
          .named = number == 0 && !draft.selection.named.empty(),
          .focus = draft.selection.focus.regions.empty() && in_focus(draft, use.parameter)};
  const std::string text = fmt::format("{} #{}", name_in_region(draft, use), use.parameter);
  row.lines.push_back({text, row.named || row.focus ? Line::strong : Line::plain});
  if (number >= draft.selection.named.size()) return row;
  const bool untrained = draft.report.verdict.unsynchronised.empty();
  const char* fault = !silent(draft.report) ? "named by DDP's message" : untrained ? "never trained" : "not averaged";
  row.lines.push_back({fault, Line::small});
  return row;
}

Row row_of_rest(const List& list, std::size_t shown) {
  Row row{.id = "more" + list.id};
  for (std::size_t k = shown; k < list.uses.size(); ++k) row.parameters.push_back(list.uses[k].parameter);
  std::sort(row.parameters.begin(), row.parameters.end());
  row.lines = {{fmt::format("and {} more", row.parameters.size())}};
  return row;
}

std::vector<Line> fate_lines(const SceneDraft& draft, const List& list) {
  const Use& use = list.first();
  std::vector<Line> lines{{fate(draft.report, {use.parameter}) + (list.uses.size() > 1 ? " each" : ""), Line::small}};
  const std::size_t firings = draft.report.parameters[use.parameter].heard.size();
  if (firings > 1)
    lines.push_back({fmt::format("{} of {}{}", numbers_in_words("firing", use.number, use.last), firings,
                                 is_late(draft, use) ? ": too late" : ""),
                     Line::small});
  return lines;
}

void add_list(SceneDraft& draft, const List& list) {
  const std::string from = add_pass(draft, list);
  const bool asked = draft.whole || (!draft.selection.focus.regions.empty() && in_focus(draft, list.first().parameter));
  const std::size_t most = asked ? rows_drawn_all : rows_drawn;
  const std::size_t shown = list.uses.size() <= most + 1 ? list.uses.size() : most;
  Box box{.id = "list" + list.id, .shape = Box::list, .frame = list.frame};
  box.conflict = draft.selection.in_conflict(list.first().parameter);
  for (std::size_t k = 0; k < shown; ++k) {
    box.rows.push_back(row_of(draft, list.uses[k]));
    draft.uses[list.uses[k].parameter].push_back({box.id, box.rows.back().id});
  }
  if (shown < list.uses.size()) box.rows.push_back(row_of_rest(list, shown));
  box.lines = fate_lines(draft, list);
  draft.scene.boxes.push_back(box);
  draft.scene.links.push_back(
      {.from = from, .to = box.id, .meaning = firing_or_silence(list.first()), .conflict = box.conflict});
  draft.lists_in[list.stage].push_back(box.id);
  const ParameterReport& parameter = draft.report.parameters[list.first().parameter];
  if (list.first().number <= 1 && !parameter.seen_by_search) draft.unseen_in[list.stage].push_back(box.id);
}

void add_rest(SceneDraft& draft, int stage, const std::vector<List>& lists, std::size_t shown) {
  std::set<int> parameters;
  for (std::size_t k = shown; k < lists.size(); ++k)
    for (const Use& use : lists[k].uses) parameters.insert(use.parameter);
  Box box{.id = "rest" + std::to_string(stage), .shape = Box::list, .conflict = true};
  box.lines = {{count(lists.size() - shown, "more group") + " of parameters:"}, {count(parameters.size(), "parameter")}};
  if (draft.stage(stage).region != none) box.frame = "region" + std::to_string(draft.stage(stage).region);
  draft.scene.boxes.push_back(box);
  draft.scene.links.push_back({.from = draft.entry[stage], .to = box.id, .meaning = Link::firing, .conflict = true});
  draft.lists_in[stage].push_back(box.id);
}

// Stacks lists if they would be too wide side by side.
void stack(SceneDraft& draft, int stage) {
  const auto& lists = draft.lists_in[stage];
  for (std::size_t k = 1; k < lists.size(); ++k) {
    const std::string pass = "pass" + lists[k].substr(4);
    const bool is_list = lists[k].starts_with("list");
    draft.scene.links.push_back(
        {.from = lists[k - 1], .to = is_list ? pass : lists[k], .meaning = Link::below, .only_narrow = true});
  }
}

}  // namespace

std::string add_nesting(SceneDraft& draft, int stage, int region) {
  if (region == none || draft.stage(stage).region == none) return draft.entry[stage];
  const auto chain = enclosing_regions(draft.report, region);
  const std::size_t left_out = chain.size() > nesting_drawn ? chain.size() - nesting_drawn : 0;
  std::string around, above;
  for (std::size_t k = 0; k < chain.size(); ++k) {
    if (k > 0 && k <= left_out) continue;
    const bool first = !draft.drawn_regions.contains(chain[k]);
    const std::string node = add_region(draft, chain[k], around);
    around = "region" + std::to_string(chain[k]);
    if (!above.empty() && first) link_nested(draft, above, node, k == left_out + 1 ? left_out : 0);
    above = node;
  }
  return above;
}

void add_full(SceneDraft& draft, int stage) {
  if (draft.stage(stage).region == none) {
    Box box{.id = "stage" + std::to_string(stage), .shape = Box::stage};
    box.first_stage = box.last_stage = draft.selection.position[stage];
    box.lines = {{short_text(draft.stage(stage).label, 48), Line::strong}};
    box.whole = short_text(draft.stage(stage).label, 400);
    if (!draft.unreached(stage)) box.lines.push_back({"in the outer graph, outside all regions", Line::small});
    draft.entry[stage] = box.id;
    draft.scene.boxes.push_back(box);
  } else {
    draft.entry[stage] = add_region(draft, draft.stage(stage).region, {});
    Box& box = draft.scene.boxes.back();
    box.first_stage = box.last_stage = draft.selection.position[stage];
  }
  const auto lists = lists_of(draft, stage);
  for (std::size_t k = 0; k < lists.size() && k < lists_drawn; ++k) add_list(draft, lists[k]);
  if (lists.size() > lists_drawn) add_rest(draft, stage, lists, lists_drawn);
  stack(draft, stage);
}

}  // namespace gradscan
