#include "dot/selection.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "analyzer/report/causes.h"

namespace gradscan {
namespace {

constexpr int full_stages = 6;      // drawn in full at most
constexpr int stages_of_named = 3;  // ... because they use the parameter of the title
constexpr int most_segments = 20;   // boxes and full stages from top to bottom

bool inside_reentrant(const Report& report, int region) {
  const auto chain = enclosing_regions(report, region);
  return std::any_of(chain.begin(), chain.end(), [&](int id) { return report.regions[id].kind == Kind::reentrant; });
}

bool uses_parameter(const std::vector<int>& ascending, int parameter) {
  return std::binary_search(ascending.begin(), ascending.end(), parameter);
}

// Without the stages that are neither regions nor use a parameter: what they receive is sent to the stages behind them.
std::vector<Stage> shown_stages(const std::vector<Stage>& all) {
  std::vector<Stage> shown;
  std::vector<int> position(all.size(), none);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].region == none && all[i].parameters.empty()) continue;
    position[i] = static_cast<int>(shown.size());
    shown.push_back(all[i]);
  }
  std::vector<std::set<int>> reached(all.size());
  for (std::size_t i = all.size(); i-- > 0;) {
    for (const int next : all[i].next) {
      if (position[next] != none) reached[i].insert(position[next]);
      if (position[next] == none) reached[i].insert(reached[next].begin(), reached[next].end());
    }
    if (position[i] != none) shown[position[i]].next.assign(reached[i].begin(), reached[i].end());
  }
  return shown;
}

std::vector<int> named_parameters(const Verdict& verdict) {
  if (verdict.outcome != Outcome::pass) return verdict.parameters;
  return verdict.unsynchronised.empty() ? verdict.untrained : verdict.unsynchronised;
}

// Every parameter concerned by a finding that is not a note, and those that the verdict names in any case.
std::vector<int> findings_by_parameter(const Report& report, const std::vector<int>& named) {
  std::vector<int> finding(report.parameters.size(), none);
  for (const int parameter : named) finding[parameter] = 0;
  for (std::size_t i = report.findings.size(); i-- > 0;) {
    if (report.findings[i].level == Level::note) continue;
    for (const Group& group : report.findings[i].groups) {
      for (const int parameter : group.parameters) finding[parameter] = static_cast<int>(i);
    }
  }
  return finding;
}

class Uses {
 public:
  Uses(const Report& report, Selection& selection) : report_(report), selection_(selection) {
    for (std::size_t i = 0; i < selection.stages.size(); ++i) {
      if (selection.stages[i].region != none) stage_of_region_[selection.stages[i].region] = static_cast<int>(i);
    }
    selection.uses.resize(selection.stages.size());
    for (const RegionReport& region : report.regions) {  // parents stand before children
      top_.push_back(region.parent == none ? region.id : top_[region.parent]);
      within_[top_.back()].push_back(region.id);
    }
  }

  void find(int parameter) {
    const std::vector<int>& causes = report_.parameters[parameter].heard;
    std::vector<std::pair<int, Use>> found;
    for (const int cause : causes)
      if (cause < 0 || report_.regions[cause].in_turn == 0)
        found.push_back(cause < 0 ? outer_use(parameter, cause) : inner_use(parameter, cause));
    std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i].second.number = static_cast<int>(i) + 1;
      add(found[i].first, found[i].second);
    }
    if (causes.empty()) add_silent(parameter);
  }

 private:
  std::pair<int, Use> inner_use(int parameter, int cause) {
    const auto stage = stage_of_region_.find(top_[cause]);
    return {stage == stage_of_region_.end() ? none : stage->second, Use{parameter, cause, cause}};
  }

  // The outer graph fires a parameter when its last gradient has arrived: at the last stage whose use is an outer one.
  std::pair<int, Use> outer_use(int parameter, int cause) {
    int any = none;
    for (int i = static_cast<int>(selection_.stages.size()); i-- > 0;) {
      const Stage& stage = selection_.stages[i];
      if (!uses_parameter(stage.parameters, parameter)) continue;
      const int region = innermost_region(stage, parameter);
      if (!inside_reentrant(report_, region)) return {i, Use{parameter, region, cause}};
      if (any == none) any = i;
    }
    return {any, Use{parameter, none, cause}};
  }

  int innermost_region(const Stage& stage, int parameter) const {
    int found = none;
    if (stage.region == none) return found;
    for (const int region : within_.at(stage.region)) {
      if (uses_parameter(report_.regions[region].parameters, parameter)) found = region;
    }
    return found;
  }

  void add_silent(int parameter) {
    for (std::size_t i = 0; i < selection_.stages.size(); ++i) {
      const Stage& stage = selection_.stages[i];
      if (!uses_parameter(stage.parameters, parameter)) continue;
      const int region = innermost_region(stage, parameter);
      return add(static_cast<int>(i), Use{parameter, region, region});
    }
    add(none, Use{parameter, none, none});
  }

  void add(int stage, const Use& use) {
    if (stage == none) stage = unreached_stage();
    selection_.uses[stage].push_back(use);
    auto& parameters = selection_.stages[stage].parameters;
    if (!uses_parameter(parameters, use.parameter)) {
      parameters.insert(std::lower_bound(parameters.begin(), parameters.end(), use.parameter), use.parameter);
    }
  }

  int unreached_stage() {
    if (!selection_.last_is_unreached) {
      selection_.last_is_unreached = true;
      selection_.stages.push_back({.region = none, .label = "not reached from the loss", .parameters = {}, .next = {}});
      selection_.uses.emplace_back();
    }
    return static_cast<int>(selection_.stages.size()) - 1;
  }

  const Report& report_;
  Selection& selection_;
  std::map<int, int> stage_of_region_;
  std::vector<int> top_;                    // for each region the outermost one around it
  std::map<int, std::vector<int>> within_;  // for each outermost region all that it holds, itself first
};

// Two stages with the same signature say the same thing.
using Fate = std::tuple<int, int, int>;  // finding, firings, ready marks
using Signature = std::tuple<int, bool, std::set<Fate>>;

Signature signature(const Report& report, const Selection& selection, int stage) {
  const int region = selection.stages[stage].region;
  std::set<Fate> fates;
  for (const int p : selection.stages[stage].parameters) {
    const int firings = static_cast<int>(report.parameters[p].heard.size());
    fates.insert({selection.finding[p], firings, marks_asked(report, report.parameters[p])});
  }
  if (region == none)
    return {-1 - (selection.last_is_unreached && stage + 1 == static_cast<int>(selection.stages.size())), false, fates};
  return {static_cast<int>(report.regions[region].kind), report.regions[region].executed, fates};
}

// First the stages that use the title's parameter, then one of each kind of conflict that these do not show.
std::vector<bool> choose_full(const Selection& selection, const std::vector<Signature>& signatures) {
  std::vector<bool> full(selection.stages.size());
  std::set<Signature> shown;
  int chosen = 0;
  const auto choose = [&](std::size_t stage) {
    full[stage] = true;
    shown.insert(signatures[stage]);
    ++chosen;
  };
  const auto uses_title = [&](const Use& use) { return !selection.named.empty() && use.parameter == selection.named[0]; };
  for (std::size_t i = 0; i < full.size() && chosen < stages_of_named; ++i) {
    if (std::any_of(selection.uses[i].begin(), selection.uses[i].end(), uses_title)) choose(i);
  }
  for (std::size_t i = 0; i < full.size() && chosen < full_stages; ++i) {
    if (!full[i] && !selection.uses[i].empty() && !shown.contains(signatures[i])) choose(i);
  }
  return full;
}

std::string path_of(const Stage& stage) {
  const auto dot = stage.label.rfind('.');
  return dot == std::string::npos ? std::string() : stage.label.substr(0, dot);
}

// How freely stages that follow one another are folded.
enum class Folding { siblings, alike, regardless };

std::vector<Segment> fold(const Selection& selection, const std::vector<Signature>& signatures, const std::vector<bool>& full,
                          Folding folding) {
  std::vector<Segment> segments;
  for (int i = 0; i < static_cast<int>(full.size()); ++i) {
    const Stage& stage = selection.stages[i];
    const bool open = i > 0 && !full[i] && !full[i - 1];
    const bool alike = open && signatures[i] == signatures[i - 1];
    const bool siblings = alike && stage.region != none && path_of(stage) == path_of(selection.stages[i - 1]);
    const bool joins = folding == Folding::siblings ? siblings : folding == Folding::alike ? alike : open;
    if (joins) {
      segments.back().last = i;
    } else {
      segments.push_back({i, i, full[i]});
    }
  }
  return segments;
}

std::vector<Segment> choose_segments(const Report& report, const Selection& selection) {
  std::vector<Signature> signatures;
  for (std::size_t i = 0; i < selection.stages.size(); ++i) {
    signatures.push_back(signature(report, selection, static_cast<int>(i)));
  }
  const auto full = choose_full(selection, signatures);
  for (const Folding folding : {Folding::siblings, Folding::alike}) {
    auto segments = fold(selection, signatures, full, folding);
    if (segments.size() <= most_segments) return segments;
  }
  return fold(selection, signatures, full, Folding::regardless);
}

}  // namespace

std::vector<int> enclosing_regions(const Report& report, int region) {
  std::vector<int> chain;
  for (; region >= 0; region = report.regions[region].parent) chain.push_back(region);
  std::reverse(chain.begin(), chain.end());
  return chain;
}

Selection select(const Report& report) {
  Selection selection;
  selection.stages = shown_stages(report.stages);
  selection.named = named_parameters(report.verdict);
  selection.finding = findings_by_parameter(report, selection.named);
  Uses uses(report, selection);
  for (int p = 0; p < static_cast<int>(report.parameters.size()); ++p) {
    if (selection.in_conflict(p)) uses.find(p);
  }
  selection.segments = choose_segments(report, selection);
  return selection;
}

}  // namespace gradscan
