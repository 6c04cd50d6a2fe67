#include "dot/scene.h"

#include <algorithm>
#include <map>
#include <set>

#include "analyzer/foreign_text.h"
#include "analyzer/report/causes.h"
#include "analyzer/report/outcome_words.h"
#include "analyzer/report/prose.h"
#include "analyzer/report/step_words.h"
#include "dot/labels.h"
#include "dot/selection.h"

namespace gradscan {
namespace {

constexpr int name_columns = 34;  // characters of a name in a box
constexpr int title_columns = 70;
constexpr int prose_columns = 104;
constexpr int prose_lines = 8;
constexpr int leaves_drawn = 2;  // of the equal parameters that one backward pass fires
constexpr int passes_drawn = 3;  // backward passes drawn in one stage
constexpr std::size_t fixes_told = 3;
constexpr int nesting_drawn = 3;  // frames within one another

std::string name(const std::string& text, int columns = name_columns) {
  return elide(legible(text), columns);
}

std::string number(int parameter) {
  return "#" + std::to_string(parameter);
}

// "1 firing", "1 to 2 firings".
std::string range(const std::set<int>& values, const std::string& noun) {
  if (values.empty()) return "";
  if (values.size() == 1) return count(*values.begin(), noun);
  return std::to_string(*values.begin()) + " to " + count(*values.rbegin(), noun);
}

bool silent(const Report& report) {
  return report.verdict.outcome == Outcome::pass;
}

// ---- The words above and below the picture.

std::string title_of_named(const Report& report, int parameter) {
  const std::string who = name(report.parameters[parameter].name, 44) + " (" + number(parameter) + ") is ";
  const std::string when = "iteration " + std::to_string(report.verdict.iteration.value_or(0));
  switch (report.verdict.outcome) {
    case Outcome::marked_ready_twice:
      return who + "marked ready twice in " + when;
    case Outcome::unfinished_reduction:
      return who +
             (report.parameters[parameter].idle_in.empty() || report.in_turn.size() < 2
                  ? "never marked ready: DDP stops in "
                  : "not marked ready in every iteration: DDP stops in ") +
             when;
    case Outcome::graph_changed:
      return who + "fired more often than in iteration 0: DDP stops in " + when;
    case Outcome::other:
      return who + "where training stops in " + when;
    case Outcome::pass:
      break;
  }
  if (report.verdict.unsynchronised.empty()) return who + "never trained; DDP is silent";
  return who + "not averaged over the ranks; DDP is silent";
}

std::string title_without_name(const Report& report) {
  if (report.verdict.outcome != Outcome::pass) {
    return "Training stops in iteration " + std::to_string(report.verdict.iteration.value_or(0));
  }
  if (has_conflict(report)) return "A part of the gradient is missing; DDP is silent";
  const auto once = [](const ParameterReport& parameter) { return parameter.fired_by.size() == 1; };
  const bool all = report.in_turn.size() <= 1 && std::all_of(report.parameters.begin(), report.parameters.end(), once);
  return all ? "No conflict: every parameter fires once" : "No conflict: DDP accepts how often each parameter fires";
}

// "So are 155 more parameters in 16 reentrant regions."
std::string companions(const Selection& selection, const Report& report) {
  const int finding = selection.finding[selection.named[0]];
  const auto same = std::count(selection.finding.begin(), selection.finding.end(), finding);
  std::set<int> regions;
  std::set<Kind> kinds;
  for (const auto& uses : selection.uses) {
    for (const Use& use : uses) {
      if (use.region == none || selection.finding[use.parameter] != finding) continue;
      regions.insert(use.region);
      kinds.insert(report.regions[use.region].kind);
    }
  }
  if (same < 2) return "";
  const std::string where = count(regions.size(), kinds.size() == 1 ? in_words(*kinds.begin()) + " region" : "region");
  return std::string("So ") + (same == 2 ? "is " : "are ") + count(same - 1, "more parameter") +
         (regions.empty() ? "." : " in " + where + ".");
}

std::string subject(const Report& report) {
  const std::string graphs = report.in_turn.size() > 1 ? " and other graphs in turn, " : ", ";
  std::string text = name(report.model, 40) + graphs + ddp_call(report.setup) + ", torch " + legible(report.torch);
  if (report.setup.checkpointing != Checkpointing::as_given) {
    text += ", checkpointing " + std::string(to_string(report.setup.checkpointing)) + " everywhere";
  }
  for (const std::string& phrase : in_words(report.setup.step)) text += ", " + phrase;
  return text;
}

void add_prose(std::vector<Line>& lines, const std::string& text, Line::Style style) {
  auto wrapped = wrap(legible(text), prose_columns);
  const bool cut = wrapped.size() > prose_lines;
  if (cut) wrapped.resize(prose_lines);
  for (const std::string& line : wrapped) lines.push_back({line, style});
  if (cut) lines.back().text += " …";
}

std::vector<Line> make_header(const Report& report, const Selection& selection) {
  std::vector<Line> header;
  const std::string title = selection.named.empty() ? title_without_name(report) : title_of_named(report, selection.named[0]);
  for (const std::string& line : wrap(title, title_columns)) header.push_back({line, Line::strong});
  add_prose(header, subject(report), Line::small);
  if (!selection.named.empty()) add_prose(header, companions(selection, report), Line::plain);
  for (const Finding& finding : report.findings) {
    if (finding.level == Level::note) continue;
    add_prose(header, finding.why, Line::plain);
    break;
  }
  return header;
}

std::vector<Line> make_footer(const Report& report, const Selection& selection) {
  std::vector<Line> footer;
  const auto calm = std::count(selection.finding.begin(), selection.finding.end(), none);
  if (!selection.named.empty() && calm > 0) {
    add_prose(footer,
              "Without a box of their own: " + count(calm, "parameter") +
                  " without a conflict, and the operations inside of the boxes.",
              Line::small);
  }
  for (const Finding& finding : report.findings) {
    if (finding.level == Level::note) add_prose(footer, finding.title, Line::small);
  }
  for (std::size_t i = 0; i < report.fixes.size() && i < fixes_told; ++i) {
    const Fix& fix = report.fixes[i];
    const std::string condition = fix.caveats.empty() ? "" : " (" + fix.caveats.front() + ")";
    add_prose(footer, (i == 0 ? "Replayed without a conflict: " : "or: ") + fix.change + condition, Line::plain);
  }
  if (report.fixes.size() > fixes_told) {
    add_prose(footer, "and " + std::to_string(report.fixes.size() - fixes_told) + " more in the text report", Line::small);
  }
  return footer;
}

// ---- Boxes.

class Painter {
 public:
  Painter(const Report& report, const Selection& selection) : report_(report), selection_(selection), names_(report) {}

  Scene paint() {
    scene_.header = make_header(report_, selection_);
    scene_.footer = make_footer(report_, selection_);
    scene_.boxes.push_back({.id = "output", .shape = Box::output, .lines = {{"model output → loss"}}});
    add_message();
    for (const Segment& segment : selection_.segments) segment.full ? add_full(segment.first) : add_fold(segment);
    add_flow();
    add_search();
    add_same_links();
    return std::move(scene_);
  }

 private:
  const Stage& stage(int i) const { return selection_.stages[i]; }
  bool unreached(int i) const { return selection_.last_is_unreached && i + 1 == static_cast<int>(selection_.stages.size()); }

  void add_message() {
    if (report_.verdict.outcome != Outcome::other && !(selection_.named.empty() && !silent(report_))) return;
    Box box{.id = "message", .shape = Box::message, .lines = {{"torch says", Line::strong}}, .conflict = true};
    auto lines = wrap(legible(report_.verdict.message), 60);
    if (lines.size() > 6) lines.resize(6);
    for (const std::string& line : lines) box.lines.push_back({line, Line::small});
    scene_.boxes.push_back(box);
    scene_.links.push_back({.from = "output", .to = "message", .meaning = Link::below});
  }

  // -- Folded stages and stages without a conflict.

  void add_fold(const Segment& segment) {
    std::set<int> parameters, conflicting;
    std::set<Kind> kinds;
    std::size_t regions = 0;
    for (int i = segment.first; i <= segment.last; ++i) {
      parameters.insert(stage(i).parameters.begin(), stage(i).parameters.end());
      if (stage(i).region == none) continue;
      ++regions;
      kinds.insert(report_.regions[stage(i).region].kind);
    }
    for (const int p : parameters) {
      if (selection_.in_conflict(p)) conflicting.insert(p);
    }
    Box box{.id = "stage" + std::to_string(segment.first), .shape = regions > 0 ? Box::fold : Box::stage};
    if (kinds.size() == 1) box.regions = *kinds.begin();
    box.folds = segment.last - segment.first + 1;
    box.conflict = !conflicting.empty();
    box.lines.push_back({fold_name(segment), Line::strong});
    box.lines.push_back({fold_size(segment, regions, kinds, parameters.size())});
    box.lines.push_back({conflicting.empty() ? calm_fate(parameters) : shared_fate(conflicting, parameters.size())});
    if (conflicting.empty()) add_seen(box, parameters);
    if (finishes_in(segment)) box.lines.push_back({finish_in_words});
    place(segment, box);
  }

  static constexpr const char* finish_in_words = "with the last mark here, DDP finishes";

  // Whether DDP takes everything for ready, too early, inside of a region of this segment.
  bool finishes_in(const Segment& segment) const {
    if (!report_.verdict.last_mark) return false;
    const auto around = enclosing_regions(report_, report_.verdict.last_mark->cause);
    for (int i = segment.first; i <= segment.last; ++i)
      if (!around.empty() && stage(i).region == around.front()) return true;
    return false;
  }

  std::string fold_name(const Segment& segment) const {
    const std::string first = name(call_name(segment.first), 26), last = name(call_name(segment.last), 26);
    if (segment.first == segment.last) return name(call_name(segment.first), 44);
    return first + (segment.last - segment.first == 1 ? ", " : " … ") + last;
  }

  std::string fold_size(const Segment& segment, std::size_t regions, const std::set<Kind>& kinds,
                        std::size_t parameters) const {
    const std::size_t outside = segment.last - segment.first + 1 - regions;
    std::string text;
    if (regions > 0)
      text = count(regions, kinds.size() == 1 ? gradscan::in_words(*kinds.begin()) + " region" : "region") + ", ";
    if (regions > 0 && outside > 0) text += count(outside, "stage") + " outside, ";
    return text + count(parameters, "parameter");
  }

  std::string calm_fate(const std::set<int>& parameters) const {
    std::set<int> firings;
    for (const int p : parameters) firings.insert(static_cast<int>(report_.parameters[p].heard.size()));
    if (firings == std::set<int>{1}) return parameters.size() == 1 ? "fires once" : "each fires once";
    return firings.empty() ? "nothing to fire" : (parameters.size() == 1 ? "" : "each ") + range(firings, "firing");
  }

  std::string fate(const std::set<int>& parameters) const {
    std::set<int> firings, marks;
    for (const int p : parameters) {
      firings.insert(static_cast<int>(report_.parameters[p].heard.size()));
      marks.insert(marks_asked(report_, report_.parameters[p]));
    }
    return range(firings, "firing") + ", " + range(marks, "ready mark");
  }

  std::string shared_fate(const std::set<int>& conflicting, std::size_t all) const {
    const std::string who = conflicting.size() < all ? std::to_string(conflicting.size()) + " of them: " : "";
    return who + fate(conflicting) + (conflicting.size() > 1 ? " each" : "") +
           (shown_in_full(conflicting) ? ": same conflict" : ": in conflict too");
  }

  // Whether a stage drawn in full shows parameters with just these numbers of firings and marks.
  bool shown_in_full(const std::set<int>& parameters) const {
    std::set<std::string> shown;
    for (const Segment& segment : selection_.segments) {
      if (!segment.full) continue;
      for (const Use& use : selection_.uses[segment.first]) shown.insert(fate({use.parameter}));
    }
    return std::all_of(parameters.begin(), parameters.end(), [&](int p) { return shown.contains(fate({p})); });
  }

  void add_seen(Box& box, const std::set<int>& parameters) const {
    if (!searches(report_.setup) || parameters.empty()) return;
    const auto seen = [&](int p) { return report_.parameters[p].seen_by_search; };
    if (std::all_of(parameters.begin(), parameters.end(), seen)) box.lines.push_back({"found by DDP's search", Line::small});
  }

  void place(const Segment& segment, const Box& box) {
    for (int i = segment.first; i <= segment.last; ++i) entry_[i] = box.id;
    scene_.boxes.push_back(box);
  }

  // -- Stages in full.

  void add_full(int i) {
    if (stage(i).region == none) {
      Box box{.id = "stage" + std::to_string(i), .shape = Box::stage, .lines = {{name(stage(i).label), Line::strong}}};
      if (!unreached(i)) box.lines.push_back({"in the outer graph, outside of all regions", Line::small});
      place({i, i, true}, box);
    } else {
      entry_[i] = add_region(stage(i).region, {});
    }
    add_passes(i);
  }

  // The frame and the checkpoint node of a region, once; returns the node.
  std::string add_region(int id, const std::string& around) {
    const std::string node = "checkpoint" + std::to_string(id), frame = "region" + std::to_string(id);
    if (!drawn_regions_.insert(id).second) return node;
    const RegionReport& region = report_.regions[id];
    scene_.frames.push_back({.id = frame, .parent = around, .kind = region.kind, .conflict = true});
    Box box{.id = node, .shape = Box::checkpoint, .frame = frame, .regions = region.kind, .conflict = true};
    box.lines = checkpoint_lines(region);
    scene_.boxes.push_back(box);
    return node;
  }

  std::vector<Line> checkpoint_lines(const RegionReport& region) const {
    const std::string kind =
        region.kind == Kind::off ? "region, not checkpointed" : gradscan::in_words(region.kind) + " checkpoint region";
    std::vector<Line> lines{{name(names_[region.id]) + ": " + kind, Line::strong}};
    if (!region.source.empty()) lines.push_back({"checkpoint called at " + name(region.source), Line::small});
    if (region.kind != Kind::reentrant) {
      lines.push_back({"its inside is part of the outer graph", Line::small});
    } else if (region.executed) {
      lines.push_back({"the graph inside exists only during backward", Line::small});
      if (report_.verdict.last_mark && report_.verdict.last_mark->cause == region.id) lines.push_back({finish_in_words});
    } else {
      lines.push_back({"its backward never runs:"});
      lines.push_back({in_words(why_not_executed(region), region)});
    }
    return lines;
  }

  static std::string in_words(Cause cause, const RegionReport& region) {
    if (cause == Cause::nested_outputs) return "its outputs are inside a dict or list";
    if (cause != Cause::no_argument_with_grad) return "no gradient reaches it";
    if (region.arguments == 0) return "it has no tensor argument";
    return region.arguments == 1 ? "its argument does not require grad" : "no tensor argument of it requires grad";
  }

  // What the same backward pass fires in the same region stands side by side.
  void add_passes(int i) {
    std::map<std::pair<int, int>, std::vector<Use>> passes;
    for (const Use& use : selection_.uses[i]) passes[{use.region, use.cause}].push_back(use);
    std::vector<std::vector<Use>> ordered;
    for (auto& [key, uses] : passes) {
      std::stable_sort(uses.begin(), uses.end(), [&](auto& a, auto& b) { return rank(a.parameter) < rank(b.parameter); });
      ordered.push_back(uses);
    }
    std::stable_sort(ordered.begin(), ordered.end(),
                     [&](auto& a, auto& b) { return rank(a[0].parameter) < rank(b[0].parameter); });
    for (std::size_t k = 0; k < ordered.size() && k < passes_drawn; ++k) add_pass(i, ordered[k]);
    if (ordered.size() > passes_drawn) add_omitted_passes(i, ordered);
  }

  // Named parameters come first, in the order of the message.
  std::size_t rank(int parameter) const {
    return std::find(selection_.named.begin(), selection_.named.end(), parameter) - selection_.named.begin();
  }

  void add_omitted_passes(int i, const std::vector<std::vector<Use>>& passes) {
    std::set<int> parameters;
    for (std::size_t k = passes_drawn; k < passes.size(); ++k) {
      for (const Use& use : passes[k]) parameters.insert(use.parameter);
    }
    Box box{.id = "omitted" + std::to_string(i), .shape = Box::parameter, .conflict = true};
    box.lines = {{count(passes.size() - passes_drawn, "more backward pass") + (passes.size() - passes_drawn > 1 ? "es" : "")},
                 {"firing " + count(parameters.size(), "parameter")}};
    if (stage(i).region != none) box.frame = "region" + std::to_string(stage(i).region);
    scene_.boxes.push_back(box);
    scene_.links.push_back({.from = entry_[i], .to = box.id, .meaning = Link::firing, .conflict = true});
    leaves_in_[i].push_back(box.id);
  }

  void add_pass(int i, const std::vector<Use>& uses) {
    const std::string from = add_pass_text(taken_by_loss(i, uses[0]) ? "output" : add_nesting(i, uses[0].region), i, uses);
    const std::size_t shown = uses.size() <= leaves_drawn + 1 ? uses.size() : leaves_drawn;
    for (std::size_t k = 0; k < shown; ++k) add_leaf(i, from, uses[k]);
    if (shown < uses.size()) add_more(i, from, {uses.begin() + static_cast<std::ptrdiff_t>(shown), uses.end()});
  }

  // Whether an outer backward fires a parameter although only a reentrant region uses it here: the loss takes it by itself.
  bool taken_by_loss(int i, const Use& use) const {
    return use.number > 0 && use.cause < 0 && use.region == none && stage(i).region != none &&
           report_.parameters[use.parameter].used_by_loss;
  }

  // The text that all firings of one backward pass go through; returns its box.
  std::string add_pass_text(const std::string& from, int i, const std::vector<Use>& uses) {
    Box box{.id = "pass" + std::to_string(passes_++), .shape = Box::pass, .frame = frame_of(uses[0]), .conflict = true};
    box.lines = pass_lines(i, uses);
    scene_.boxes.push_back(box);
    scene_.links.push_back({.from = from, .to = box.id, .meaning = firing_or_silence(uses[0]), .into_text = true});
    return box.id;
  }

  static std::string frame_of(const Use& use) { return use.region == none ? "" : "region" + std::to_string(use.region); }
  static Link::Meaning firing_or_silence(const Use& use) { return use.number > 0 ? Link::firing : Link::silence; }

  // Marks come in the order of the search and then of the firings, if firings and search are all that marks.
  int mark_number(const Use& use) const {
    const ParameterReport& parameter = report_.parameters[use.parameter];
    const bool by_search = marked_by_search(report_, parameter);
    const int marks = static_cast<int>(parameter.heard.size()) + by_search;
    return marks == marks_asked(report_, report_.parameters[use.parameter]) ? use.number + by_search : 0;
  }

  std::vector<Line> pass_lines(int i, const std::vector<Use>& uses) const {
    if (uses[0].number == 0) return {{silence_in_words(i, report_.parameters[uses[0].parameter])}};
    std::set<int> marks;
    for (const Use& use : uses) marks.insert(mark_number(use));
    const bool same_mark = marks.size() == 1 && *marks.begin() > 0;
    const std::string hooks = uses.size() == 1 ? "the hook fires" : "hooks fire";
    const bool late = std::all_of(uses.begin(), uses.end(), [&](const Use& use) { return is_late(use); });
    const std::string mark = late ? "too late: " : same_mark ? "mark " + std::to_string(*marks.begin()) + ": " : "";
    if (uses[0].cause < 0) return {{mark + hooks + " in"}, {"the " + outer_in_words(uses[0].cause)}};
    return {{mark + hooks + " in the"}, {"inner backward of " + name(names_[uses[0].cause], 24)}};
  }

  std::string silence_in_words(int i, const ParameterReport& parameter) const {
    if (!parameter.idle_in.empty() && parameter.idle_in.size() < report_.in_turn.size()) return "not in every graph";
    return unreached(i) ? "the loss does not use them" : "no gradient comes: never fires";
  }

  // Draws the regions from the stage's down to one of its own; returns the node whose backward pass fires what is inside.
  std::string add_nesting(int i, int region) {
    if (region == none || stage(i).region == none) return entry_[i];
    const auto chain = enclosing_regions(report_, region);
    const std::size_t left_out = chain.size() > nesting_drawn ? chain.size() - nesting_drawn : 0;
    std::string around, above;
    for (std::size_t k = 0; k < chain.size(); ++k) {
      if (k > 0 && k <= left_out) continue;
      const bool first = !drawn_regions_.contains(chain[k]);
      const std::string node = add_region(chain[k], around);
      around = "region" + std::to_string(chain[k]);
      if (!above.empty() && first) link_nested(above, node, k == left_out + 1 ? left_out : 0);
      above = node;
    }
    return above;
  }

  void link_nested(const std::string& above, const std::string& node, std::size_t left_out) {
    Link link{.from = above, .to = node, .meaning = Link::backward, .lines = {{"runs inside"}}};
    if (left_out > 0)
      link.lines = {{"through " + count(left_out, "nested region")},
                    {"that " + std::string(left_out == 1 ? "is" : "are") + " left out"}};
    scene_.links.push_back(link);
  }

  std::string leaf_id(const Use& use) { return "parameter" + std::to_string(use.parameter) + "_" + std::to_string(use.number); }

  void add_leaf(int i, const std::string& from, const Use& use) {
    const ParameterReport& parameter = report_.parameters[use.parameter];
    const std::size_t rank_here = rank(use.parameter);
    Box box{.id = leaf_id(use), .shape = Box::parameter, .frame = frame_of(use), .conflict = true, .named = rank_here == 0};
    box.lines.push_back({short_name(use) + " " + number(use.parameter), rank_here == 0 ? Line::strong : Line::plain});
    box.lines.push_back({fate({use.parameter})});
    if (parameter.heard.size() > 1) {
      box.lines.push_back({"firing " + std::to_string(use.number) + " of " + std::to_string(parameter.heard.size()) +
                               (is_late(use) ? ": too late" : ""),
                           Line::small});
    }
    if (rank_here < selection_.named.size()) add_naming(box);
    scene_.boxes.push_back(box);
    leaves_[use.parameter].push_back(box.id);
    add_leaf_links(i, from, box.id, use);
  }

  void add_naming(Box& box) const {
    if (!silent(report_)) return box.lines.push_back({"named by DDP's message", Line::small});
    box.lines.push_back({report_.verdict.unsynchronised.empty() ? "never trained" : "not averaged", Line::small});
  }

  // Whether DDP has finished before this firing. (A later backward is not drawn, nor which of several firings in one region.)
  bool is_late(const Use& use) const {
    const LocalGradient* local = local_gradient(report_, use.parameter);
    if (!local || report_.setup.step.backwards > 1) return false;
    const std::vector<int>& heard = report_.parameters[use.parameter].heard;
    const auto late = std::count(local->late.begin(), local->late.end(), use.cause);
    return late > 0 && late == std::count(heard.begin(), heard.end(), use.cause);
  }

  // A name without the region's path, which stands above it.
  std::string short_name(const Use& use) const {
    const std::string& full = report_.parameters[use.parameter].name;
    const std::string path = use.region == none ? "" : report_.regions[use.region].name + ".";
    if (use.region == none || full.size() <= path.size() || full.compare(0, path.size(), path) != 0) return name(full);
    return name(full.substr(path.size()));
  }

  void add_more(int i, const std::string& from, const std::vector<Use>& uses) {
    std::set<int> parameters;
    for (const Use& use : uses) parameters.insert(use.parameter);
    Box box{.id = "more_" + leaf_id(uses[0]), .shape = Box::parameter, .frame = frame_of(uses[0]), .conflict = true};
    box.lines = {{std::to_string(parameters.size()) + " more"}, {fate(parameters) + " each"}};
    scene_.boxes.push_back(box);
    add_leaf_links(i, from, box.id, uses[0]);
  }

  void add_leaf_links(int i, const std::string& from, const std::string& leaf, const Use& use) {
    scene_.links.push_back({.from = from, .to = leaf, .meaning = firing_or_silence(use), .conflict = true});
    leaves_in_[i].push_back(leaf);
    if (use.number <= 1 && !report_.parameters[use.parameter].seen_by_search) unseen_[i].push_back(leaf);
  }

  // -- Links between stages, to the search, between uses.

  void add_flow() {
    std::set<std::pair<std::string, std::string>> drawn;
    std::vector<bool> has_source(selection_.stages.size());
    for (std::size_t i = 0; i < selection_.stages.size(); ++i) {
      for (const int next : stage(static_cast<int>(i)).next) {
        has_source[next] = true;
        const auto ends = std::pair(entry_[static_cast<int>(i)], entry_[next]);
        if (ends.first == ends.second || !drawn.insert(ends).second) continue;
        scene_.links.push_back({.from = ends.first, .to = ends.second, .meaning = Link::backward});
        for (const std::string& leaf : leaves_in_[static_cast<int>(i)]) {
          scene_.links.push_back({.from = leaf, .to = ends.second, .meaning = Link::below});
        }
      }
    }
    for (int i = 0; i < static_cast<int>(has_source.size()); ++i) {
      if (has_source[i] || !drawn.insert({"output", entry_[i]}).second) continue;
      Link link{.from = "output", .to = entry_[i], .meaning = unreached(i) ? Link::silence : Link::backward};
      if (unreached(i)) link.lines = {{"no gradient comes"}};
      scene_.links.push_back(link);
    }
  }

  // The search is drawn beside every stage that it fails to see, so that its links are short too.
  void add_search() {
    if (!searches(report_.setup)) return;
    for (const auto& [i, leaves] : unseen_) {
      const bool first = i == unseen_.begin()->first;
      Box box{.id = "search" + std::to_string(i), .shape = Box::search, .lines = {{"DDP's search for", Line::strong}}};
      box.lines.push_back({"unused parameters", Line::strong});
      if (first) box.lines.push_back({"walks the graph from the", Line::small});
      if (first) box.lines.push_back({"output, before backward", Line::small});
      scene_.boxes.push_back(box);
      if (first) scene_.links.push_back({.from = "output", .to = box.id, .meaning = Link::walk});
      add_search_links(box.id, i, leaves);
    }
  }

  void add_search_links(const std::string& search, int i, const std::vector<std::string>& leaves) {
    const int region = stage(i).region;
    if (region != none && report_.regions[region].kind == Kind::reentrant) {
      scene_.links.push_back({.from = search, .to = entry_[i], .meaning = Link::stop, .lines = {{"stops here"}}});
    }
    Box text{.id = "marking" + std::to_string(i), .shape = Box::marking, .conflict = true};
    if (region != none) text.frame = "region" + std::to_string(region);
    text.lines = {{"mark 1: not found by the search,"}, {"so marked ready at once"}};
    scene_.boxes.push_back(text);
    scene_.links.push_back({.from = search, .to = text.id, .meaning = Link::mark, .into_text = true});
    for (const std::string& leaf : leaves) scene_.links.push_back({.from = text.id, .to = leaf, .meaning = Link::mark});
  }

  void add_same_links() {
    for (const auto& [parameter, leaves] : leaves_) {
      for (std::size_t k = 1; k < leaves.size(); ++k) {
        Link link{.from = leaves[k - 1], .to = leaves[k], .meaning = Link::same};
        if (rank(parameter) == 0) link.lines = {{"same parameter"}};
        scene_.links.push_back(link);
      }
    }
  }

  std::string call_name(int i) const { return stage(i).region == none ? stage(i).label : names_[stage(i).region]; }

  const Report& report_;
  const Selection& selection_;
  RegionNames names_;
  Scene scene_;
  std::map<int, std::string> entry_;  // for each stage the box that receives its gradients
  std::set<int> drawn_regions_;
  int passes_ = 0;
  std::map<int, std::vector<std::string>> leaves_;     // for each parameter drawn by name its leaves, in the order of firing
  std::map<int, std::vector<std::string>> leaves_in_;  // for each stage its leaves
  std::map<int, std::vector<std::string>> unseen_;     // ... those that the search does not find
};

}  // namespace

Scene make_scene(const Report& report) {
  const Selection selection = select(report);
  return Painter(report, selection).paint();
}

}  // namespace gradscan
