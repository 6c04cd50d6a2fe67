// A candidate starts as the requested setup. Every change adds its words, the options that scan it, and what it does to the
// setup or the captures. A change that the command line cannot express has no options. The options are meant to be appended to
// the original command line: the last of several flags counts; patterns and globs add up.
#include "analyzer/repair/candidates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "analyzer/graph/edits.h"
#include "analyzer/graph/name_globs.h"
#include "analyzer/graph/patterns.h"
#include "analyzer/graph/step.h"
#include "analyzer/repair/smallest_set.h"
#include "analyzer/report/report.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

constexpr std::size_t globs_listed = 3, names_listed = 4;

void say(Candidate& candidate, const std::string& change, const std::string& options) {
  candidate.change += (candidate.change.empty() ? "" : " and ") + change;
  candidate.options += (candidate.options.empty() || options.empty() ? "" : " ") + options;
}

std::string with_each(const std::string& option, const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (const std::string& value : values) words.push_back(fmt::format("{} {}", option, gradscan::quoted(value)));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string with_hyphens(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

std::vector<std::string> globs_of_dead(const Capture& capture, const Report& report) {
  std::vector<bool> dead(capture.parameters.size());
  std::vector<int> order = ddp_order(capture);
  for (const ParameterReport& parameter : report.parameters)
    dead[order[parameter.index]] = !parameter.in_loss && !parameter.used_by_loss;
  return globs_for(capture, dead);
}

// Outputs that require grad but that the loss does not use: parameters that only they need count as dead.
std::vector<std::string> outputs_left_out(const Report& report) {
  std::vector<std::string> paths;
  for (const Output& output : report.outputs)
    if (!output.in_loss && output.edge.node != none) paths.push_back(output.path);
  return paths;
}

std::string words_for_kind(Kind kind) {
  return kind == Kind::non_reentrant ? "checkpoint(..., use_reentrant=False)" : "no checkpointing";
}

// Slots of the arguments of a lost region that could be made to require grad. If one of them does, the region is lost for
// another reason.
std::vector<std::string> slots_to_open(const Region& region, const RegionReport& row) {
  std::vector<std::string> slots;
  if (!row.lost || static_cast<int>(row.arguments_without_grad.size()) < row.arguments) return slots;
  for (int slot : row.arguments_without_grad)
    if (may_require_grad(region, slot)) slots.push_back(std::to_string(slot));
  return slots;
}

const std::vector<GradEdge>& arguments_of(const Capture& capture, const Region& region) {
  return capture.nodes[region.begin].next;
}

// For each node, whether its gradients would go through one of the regions with slots to open. Those behind another one need no
// change of their own: what makes the first one's outputs require grad does so for all. Edges lead to lower numbers, so one
// pass is enough.
std::vector<bool> behind(const Capture& capture, const std::vector<std::vector<std::string>>& slots) {
  std::vector<bool> result(capture.nodes.size());
  std::vector<int> region_ending(capture.nodes.size(), none);
  for (std::size_t id = 0; id < capture.regions.size(); ++id) region_ending[capture.regions[id].end] = static_cast<int>(id);
  const auto is_behind = [&](const GradEdge& edge) { return edge.node != none && result[edge.node]; };
  for (std::size_t node = 0; node < capture.nodes.size(); ++node) {
    result[node] = std::ranges::any_of(capture.nodes[node].next, is_behind);
    if (const int id = region_ending[node]; id != none)
      result[node] =
          result[node] || !slots[id].empty() || std::ranges::any_of(arguments_of(capture, capture.regions[id]), is_behind);
  }
  return result;
}

// Each undoes one unusual thing about the step, and does nothing if the step does not have it.
void undo_forwards(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.forwards == 1) return;
  say(candidate, fmt::format("one forward call per loss instead of {}", step.forwards), "--forwards 1");
  step.forwards = 1;
}

void undo_backwards(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.backwards == 1) return;
  say(candidate, fmt::format("one backward per loss instead of {}", step.backwards), "--backwards 1");
  step.backwards = 1;
}

void undo_no_sync(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.no_sync == 0) return;
  say(candidate, "no backward inside no_sync()", "--no-sync 0");
  step.no_sync = 0;
}

void undo_used_outside(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.used_outside.empty()) return;
  say(candidate, fmt::format("a loss that uses {} only through forward", globs_in_words(step.used_outside)),
      "--no-used-outside");
  step.used_outside.clear();
}

void undo_zero_times(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.zero_times.empty()) return;
  say(candidate, "a loss without 0.0 times the sum of " + globs_in_words(step.zero_times), "--no-zero-times");
  step.zero_times.clear();
}

void undo_checkpoint_around(Candidate& candidate) {
  TrainingStep& step = candidate.setup.step;
  if (step.checkpoint_around == Kind::off) return;
  say(candidate, "no checkpoint around DistributedDataParallel", "--checkpoint-around off");
  step.checkpoint_around = Kind::off;
}

void let_checkpoint_around_be_transparent(Candidate& candidate) {
  if (candidate.setup.step.checkpoint_around != Kind::reentrant) return;
  say(candidate, "checkpoint(ddp, ..., use_reentrant=False)", "--checkpoint-around non-reentrant");
  candidate.setup.step.checkpoint_around = Kind::non_reentrant;
}

// On the command line, a pattern applies to every file and has to match in each.
bool match_in_every_graph(std::span<const Capture> in_turn, const std::vector<CheckpointPattern>& patterns) {
  return std::ranges::all_of(in_turn, [&](const Capture& capture) {
    return std::ranges::all_of(patterns,
                               [&](const CheckpointPattern& pattern) { return matches_region(capture, pattern.glob); });
  });
}

constexpr void (*undo_all[])(Candidate&) = {undo_forwards,     undo_backwards,  undo_no_sync,
                                            undo_used_outside, undo_zero_times, undo_checkpoint_around};

}  // namespace

std::string globs_in_words(const std::vector<std::string>& globs) {
  return globs.size() == 1 && globs.front() == "*" ? "all parameters" : enumerate(globs, globs_listed);
}

Flags flags_of(const Setup& setup) {
  return {setup.find_unused_parameters, setup.static_graph};
}

Candidates::Candidates(std::span<const Capture> in_turn, const Report& report)
    : in_turn_(in_turn), report_(report), dead_(globs_of_dead(in_turn.front(), report)) {
  find_smallest_set();
}

void Candidates::add_caveat_of_outputs(Candidate& candidate) const {
  std::vector<std::string> paths = outputs_left_out(report_);
  if (!paths.empty()) candidate.caveats.push_back("only as long as the loss does not use " + enumerate(paths, names_listed));
}

Candidate Candidates::unchanged() const {
  return {.change = "", .options = "", .setup = report_.setup};
}

// With static_graph, DDP ignores find_unused_parameters.
std::vector<Flags> Candidates::other_flags() const {
  Flags current = flags_of(report_.setup);
  if (current.static_graph) current.find_unused_parameters = false;
  std::vector<Flags> others{{}, {.find_unused_parameters = true}, {.static_graph = true}};
  std::erase(others, current);
  return others;
}

// The caveats say what one iteration cannot show about the flags.
void Candidates::set_flags(Candidate& candidate, Flags flags) const {
  Flags before = flags_of(candidate.setup);
  if (flags == before) return;
  std::vector<std::string> options;
  auto add = [&](bool wanted, bool is_set, const std::string& name) {
    if (wanted != is_set) options.push_back((wanted ? "--" : "--no-") + name);
  };
  add(flags.find_unused_parameters, before.find_unused_parameters, "find-unused-parameters");
  add(flags.static_graph, before.static_graph, "static-graph");
  candidate.setup.find_unused_parameters = flags.find_unused_parameters;
  candidate.setup.static_graph = flags.static_graph;
  say(candidate, ddp_call(candidate.setup), fmt::format("{}", fmt::join(options, " ")));
  const std::vector<std::string> reasons = reasons_to_vary(report_);
  std::string here = reasons.empty() ? "" : "; here, " + enumerate(reasons, names_listed);
  if (flags.static_graph)
    candidate.caveats.push_back("only if every iteration runs the same graph" + here);
  else if (!flags.find_unused_parameters)
    candidate.caveats.push_back("only if every parameter gets a gradient in every iteration" + here);
}

Candidate Candidates::with_flags(Flags flags) const {
  Candidate candidate = unchanged();
  set_flags(candidate, flags);
  add_caveat_of_outputs(candidate);
  return candidate;
}

void Candidates::freeze_dead(Candidate& candidate) const {
  if (dead_.empty()) return;
  candidate.edits.freeze = dead_;
  say(candidate, fmt::format("requires_grad_(False) for {}, or a model without them", globs_in_words(dead_)),
      with_each("--freeze", dead_));
}

std::vector<Candidate> Candidates::for_dead_parameters(Flags flags) const {
  if (dead_.empty()) return {};
  Candidate frozen = unchanged(), zero = unchanged(), ignored = unchanged();
  freeze_dead(frozen);
  append(zero.setup.step.zero_times, dead_);
  say(zero, fmt::format("0.0 times the sum of {} added to the loss", globs_in_words(dead_)), with_each("--zero-times", dead_));
  zero.caveats.push_back("their gradients are zero, so an optimizer with weight decay still changes them");
  ignored.edits.ignore = dead_;
  say(ignored, "_set_params_and_buffers_to_ignore_for_model(model, names) for " + globs_in_words(dead_),
      with_each("--ignore", dead_));
  ignored.caveats.push_back("only as long as the loss does not use them: DDP would not average their gradients");
  if (std::any_of(dead_.begin(), dead_.end(), [](const std::string& glob) { return glob.find('.') == std::string::npos; }))
    ignored.caveats.push_back("the name of a parameter of the root module begins with a dot: .weight");
  std::vector<Candidate> candidates{frozen, zero, ignored};
  for (Candidate& candidate : candidates) {
    set_flags(candidate, flags);
    add_caveat_of_outputs(candidate);
  }
  return candidates;
}

Candidate Candidates::zero_times_all() const {
  Candidate candidate = unchanged();
  candidate.setup.step.zero_times.push_back("*");
  say(candidate, "0.0 times the sum of all parameters added to the loss", with_each("--zero-times", {"*"}));
  return candidate;
}

std::vector<Candidate> Candidates::steps_undone() const {
  std::vector<Candidate> candidates;
  auto add = [&](auto undo) {
    candidates.push_back(unchanged());
    undo(candidates.back());
    if (candidates.back().change.empty()) candidates.pop_back();
  };
  std::for_each(std::begin(undo_all), std::end(undo_all), add);
  add(let_checkpoint_around_be_transparent);
  return candidates;
}

std::optional<Candidate> Candidates::inputs_require_grad() const {
  std::vector<std::string> globs, places;
  std::size_t first = 0;  // of the capture's regions in the report
  for (const Capture& capture : in_turn_) {
    std::vector<std::vector<std::string>> slots;
    for (std::size_t id = 0; id < capture.regions.size(); ++id)
      slots.push_back(slots_to_open(capture.regions[id], report_.regions[first + id]));
    const std::vector<bool> opened = behind(capture, slots);
    for (std::size_t id = 0; id < capture.regions.size(); ++id) {
      const Region& region = capture.regions[id];
      const bool needs_none = std::ranges::any_of(arguments_of(capture, region),
                                                  [&](const GradEdge& edge) { return edge.node != none && opened[edge.node]; });
      if (slots[id].empty() || needs_none || std::ranges::count(globs, as_glob(region.name)) > 0) continue;
      globs.push_back(as_glob(region.name));
      places.push_back(fmt::format("{} (argument {})", region.name, enumerate(slots[id], names_listed)));
    }
    first += capture.regions.size();
  }
  if (globs.empty()) return {};
  Candidate candidate = unchanged();
  candidate.edits.require_grad = globs;
  say(candidate,
      fmt::format("x.requires_grad_() for an input of region {}, or in transformers model.enable_input_require_grads()",
                  enumerate(places, names_listed)),
      with_each("--require-grad", globs));
  return candidate;
}

bool Candidates::any_reentrant() const {
  return std::any_of(report_.regions.begin(), report_.regions.end(),
                     [](const RegionReport& region) { return region.kind == Kind::reentrant; });
}

std::optional<Candidate> Candidates::all_of_kind(Checkpointing kind, Flags flags) const {
  if (!any_reentrant()) return {};
  Candidate candidate = unchanged();
  candidate.setup.checkpointing = kind;
  say(candidate, words_for_kind(kind == Checkpointing::off ? Kind::off : Kind::non_reentrant),
      "--checkpointing " + with_hyphens(to_string(kind)));
  set_flags(candidate, flags);
  return candidate;
}

// Among the names of reentrant regions, in forward order, with what their calls save.
void Candidates::find_smallest_set() {
  std::vector<NamedRegions> names;
  std::map<std::string, std::size_t> place;
  std::size_t id = 0;
  for (const Capture& capture : in_turn_)
    for (const Region& region : capture.regions) {
      const RegionReport& row = report_.regions[id++];
      if (std::count(region_names_.begin(), region_names_.end(), region.name) == 0) region_names_.push_back(region.name);
      if (row.kind != Kind::reentrant) continue;
      auto [found, is_new] = place.try_emplace(region.name, names.size());
      if (is_new) names.push_back({region.name});
      names[found->second].saved_bytes += row.saved_bytes;
    }
  if (names.size() < 2) return;
  std::vector<int> set = smallest_set(in_turn_, report_.setup, names);
  if (set.size() == names.size()) return;
  for (int name : set) set_.push_back(names[name].name);
}

// If all regions were requested to be reentrant, the unchanged ones are made reentrant by name.
std::optional<Candidate> Candidates::regions_of_kind(Kind kind) const {
  if (set_.empty()) return {};
  Candidate candidate = unchanged();
  std::vector<std::string> options;
  if (report_.setup.checkpointing != Checkpointing::as_given) {
    candidate.setup.checkpointing = Checkpointing::as_given;
    options.push_back("--checkpointing as-given");
    for (const std::string& name : region_names_) candidate.edits.checkpoint.push_back({as_glob(name), Kind::reentrant});
  }
  for (const std::string& name : set_) candidate.edits.checkpoint.push_back({as_glob(name), kind});
  for (const CheckpointPattern& pattern : candidate.edits.checkpoint)
    options.push_back("--checkpoint " +
                      gradscan::quoted(fmt::format("{}={}", pattern.glob, with_hyphens(to_string(pattern.kind)))));
  if (!match_in_every_graph(in_turn_, candidate.edits.checkpoint)) options.clear();
  say(candidate, fmt::format("{} for {} only", words_for_kind(kind), enumerate(set_, names_listed)),
      fmt::format("{}", fmt::join(options, " ")));
  return candidate;
}

Candidate Candidates::everything() const {
  Candidate candidate = unchanged();
  for (auto undo : undo_all) undo(candidate);
  if (any_reentrant()) {
    candidate.setup.checkpointing = Checkpointing::off;
    say(candidate, words_for_kind(Kind::off), "--checkpointing off");
  }
  freeze_dead(candidate);
  set_flags(candidate, {});
  return candidate;
}

}  // namespace gradscan
