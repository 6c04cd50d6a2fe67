// A step is a run of stages drawn as one node: neighbours without a conflict, or equal neighbours that belong to one group.
// Stages that are not regions and use no parameter are skipped. A group of parameters that a single step fires is shown inside
// that step; a group that several steps fire is a node of its own.
#include "analyzer/formats/mermaid.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "analyzer/diagnose/causes.h"
#include "analyzer/diagnose/groups.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "analyzer/text/width.h"

namespace gradscan {
namespace {

constexpr std::size_t steps_drawn = 24, groups_drawn = 12;
constexpr std::size_t name_length = 48;

// In a quoted label, every character that could mean something to Mermaid, Markdown or HTML is written as its code.
std::string label(std::string_view text) {
  constexpr std::string_view harmless = " .,:/()=+*'-_";
  std::string result;
  for (char byte : elided(legible(text), name_length)) {
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte < 0 ||
                 harmless.find(byte) != std::string_view::npos;
    result += plain ? std::string(1, byte) : fmt::format("#{};", static_cast<int>(byte));
  }
  return result;
}

struct Step {
  int group = none;         // of the finding
  std::vector<int> stages;  // in order
  bool is_rest = false;     // all stages that did not fit
};

class Flowchart {
 public:
  Flowchart(const Report& report, const Finding& finding) : report_(report), finding_(finding) {
    find_stages();
    find_groups();
    find_steps();
    for (std::size_t at = 0; at < std::min(finding.groups.size(), groups_drawn); ++at) steps_of_.push_back(steps_firing(at));
  }

  std::string write() {
    text_ = "flowchart TD\n  loss([\"loss\"])\n";
    for (std::size_t at = 0; at < steps_.size(); ++at) step(at);
    for (std::size_t at = 0; at < steps_of_.size(); ++at) group(at);
    backward();
    text_ += "  classDef conflict stroke:#cf222e,stroke-width:3px\n";
    return text_;
  }

 private:
  void find_stages() {
    std::vector<int> outermost;  // of each region; parents stand before children
    for (const RegionReport& region : report_.regions)
      outermost.push_back(region.parent == none ? region.id : outermost[region.parent]);
    std::map<int, int> stage_of;
    stages_using_.resize(report_.parameters.size());
    for (std::size_t at = 0; at < report_.stages.size(); ++at) {
      if (report_.stages[at].region != none) stage_of[report_.stages[at].region] = static_cast<int>(at);
      for (int parameter : report_.stages[at].parameters) stages_using_[parameter].push_back(static_cast<int>(at));
    }
    for (int region : outermost) stage_of_region_.push_back(stage_of.contains(region) ? stage_of[region] : none);
  }

  // For each stage, the first group with a parameter that it uses.
  void find_groups() {
    std::map<int, int> group_of;
    for (std::size_t at = finding_.groups.size(); at-- > 0;)
      for (int parameter : finding_.groups[at].parameters) group_of[parameter] = static_cast<int>(at);
    for (const Stage& stage : report_.stages) {
      int first = none;
      for (int parameter : stage.parameters)
        if (auto found = group_of.find(parameter); found != group_of.end() && (first == none || found->second < first))
          first = found->second;
      group_of_stage_.push_back(first);
    }
  }

  // If there are too many, the last step takes all remaining stages.
  void find_steps() {
    step_of_stage_.resize(report_.stages.size(), none);
    for (std::size_t at = 0; at < report_.stages.size(); ++at) {
      if (report_.stages[at].region == none && report_.stages[at].parameters.empty()) continue;
      int group = group_of_stage_[at];
      bool joins = !steps_.empty() && steps_.back().group == group && (group == none || finding_.groups[group].folded > 1);
      if (!joins && steps_.size() < steps_drawn)
        steps_.push_back({group, {}, false});
      else
        steps_.back().is_rest = steps_.back().is_rest || !joins;
      steps_.back().stages.push_back(static_cast<int>(at));
      step_of_stage_[at] = static_cast<int>(steps_.size()) - 1;
    }
  }

  // Steps whose backward fires a parameter of the group. For a parameter that nothing fires, the steps that use it.
  std::set<int> steps_firing(std::size_t group) const {
    std::set<int> found;
    for (int parameter : finding_.groups[group].parameters)
      for (int stage : stages_firing(report_.parameters[parameter]))
        if (stage != none && step_of_stage_[stage] != none) found.insert(step_of_stage_[stage]);
    return found;
  }

  // The outer backward fires a parameter in the stages that use it outside reentrant regions.
  std::vector<int> stages_firing(const ParameterReport& parameter) const {
    if (parameter.heard.empty()) return stages_using_[parameter.index];
    std::vector<int> found;
    for (Cause cause : parameter.heard) {
      if (cause.is_region()) found.push_back(stage_of_region_[cause.region()]);
      if (!cause.is_region())
        std::copy_if(stages_using_[parameter.index].begin(), stages_using_[parameter.index].end(), std::back_inserter(found),
                     [&](int stage) { return !is_reentrant(report_.stages[stage].region); });
    }
    return found;
  }

  bool is_reentrant(int region) const { return region != none && report_.regions[region].kind == Kind::reentrant; }

  // The step that shows the group; none if it is a node of its own.
  int step_showing(std::size_t group) const {
    if (steps_of_[group].size() != 1) return none;
    int step = *steps_of_[group].begin();
    return steps_[step].is_rest ? none : step;
  }

  void step(std::size_t at) {
    std::string text = name(steps_[at]);
    bool conflict = false;
    for (std::size_t group = 0; group < steps_of_.size(); ++group) {
      conflict = conflict || steps_of_[group].contains(static_cast<int>(at));
      if (step_showing(group) == static_cast<int>(at)) text += "<br>" + numbers(group);
    }
    text_ += fmt::format("  s{}[\"{}\"]{}\n", at, text, conflict ? ":::conflict" : "");
  }

  std::string name(const Step& step) const {
    const Stage &first = report_.stages[step.stages.front()], &last = report_.stages[step.stages.back()];
    std::string text = label(first.label);
    if (step.stages.size() > 1) text += (step.stages.size() == 2 ? "<br>" : "<br>…<br>") + label(last.label);
    std::size_t number = step.stages.size();
    if (first.region != none && !step.is_rest && step.group != none)
      return fmt::format("{}<br>{}{}", text, number == 1 ? "" : fmt::format("{} ", number),
                         label(in_words(report_.regions[first.region].kind) + (number == 1 ? " region" : " regions")));
    return number == 1 ? text : fmt::format("{}<br>{} in a row", text, number);
  }

  std::string numbers(std::size_t group) const {
    const Group& shown = finding_.groups[group];
    const std::string parameters = count(shown.parameters.size(), "parameter"), numbers = numbers_in_words(shown);
    if (numbers.empty()) return parameters;
    return fmt::format("{}{}{}", parameters, shown.parameters.size() == 1 ? " with<br>" : ", each with<br>", numbers);
  }

  void group(std::size_t at) {
    if (finding_.groups[at].parameters.empty()) return;
    int step = step_showing(at);
    std::string id = step == none ? fmt::format("g{}", at) : fmt::format("s{}", step);
    if (step == none) draw_group(at, id);
    if (!any_marked_by_search(finding_.groups[at])) return;
    if (!search_) text_ += "  search{{\"DDP#39;s search\"}}\n";
    search_ = true;
    text_ += fmt::format("  search -. marks .-> {}\n", id);
  }

  // With an edge from each step that fires it, or that uses it without firing it.
  void draw_group(std::size_t at, const std::string& id) {
    const Group& group = finding_.groups[at];
    text_ += fmt::format("  {}([\"{}<br>{}\"]):::conflict\n", id, label(names(group)), numbers(at));
    for (int step : steps_of_[at])
      text_ += fmt::format("  s{} -. {} .-> {}\n", step, group.firings == 0 ? "never fires" : "fires", id);
    if (steps_of_[at].empty() && group.firings == 0) text_ += fmt::format("  loss -. does not reach .-> {}\n", id);
  }

  bool any_marked_by_search(const Group& group) const {
    return std::any_of(group.parameters.begin(), group.parameters.end(),
                       [&](int index) { return marked_by_search(report_, report_.parameters[index]); });
  }

  std::string names(const Group& group) const {
    std::string text = report_.parameters[group.parameters.front()].name;
    return group.parameters.size() == 1 ? text : fmt::format("{} and {} more", text, group.parameters.size() - 1);
  }

  // From step to step; edges through skipped stages lead to the stages after them.
  std::set<std::pair<int, int>> edges() const {
    std::set<std::pair<int, int>> found;
    std::vector<std::set<int>> reached(report_.stages.size());  // steps
    for (std::size_t at = report_.stages.size(); at-- > 0;) {
      for (int next : report_.stages[at].next)
        if (step_of_stage_[next] != none)
          reached[at].insert(step_of_stage_[next]);
        else
          reached[at].insert(reached[next].begin(), reached[next].end());
      if (int from = step_of_stage_[at]; from != none)
        for (int to : reached[at])
          if (from != to) found.insert({from, to});
    }
    return found;
  }

  void backward() {
    if (!steps_.empty()) text_ += "  loss --> s0\n";
    for (auto [from, to] : edges()) text_ += fmt::format("  s{} --> s{}\n", from, to);
  }

  const Report& report_;
  const Finding& finding_;
  std::vector<int> stage_of_region_;            // the stage that is or contains the region; none: of another graph
  std::vector<std::vector<int>> stages_using_;  // of each parameter, ascending
  std::vector<int> group_of_stage_, step_of_stage_;
  std::vector<Step> steps_;
  std::vector<std::set<int>> steps_of_;  // for each group drawn
  std::string text_;
  bool search_ = false;  // whether its node is drawn
};

}  // namespace

std::string mermaid(const Report& report, const Finding& finding) {
  bool affects_any =
      std::any_of(finding.groups.begin(), finding.groups.end(), [](const Group& group) { return !group.parameters.empty(); });
  return affects_any ? Flowchart(report, finding).write() : "";
}

}  // namespace gradscan
