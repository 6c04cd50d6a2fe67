#include "dot/select/selection.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "analyzer/diagnose/causes.h"

namespace gradscan {
namespace {

// Upper limits for what is drawn.
struct Bounds {
  int full_stages;            // drawn in full
  int stages_of_named;        // ... because they use the parameter in the title or in focus
  std::size_t most_segments;  // boxes and full stages from top to bottom
};
constexpr Bounds of_conflict{6, 3, 20}, of_focus{6, 6, 60}, of_whole{40, 40, 150};

bool inside_reentrant(const Report& report, int region) {
  const auto chain = enclosing_regions(report, region);
  return std::any_of(chain.begin(), chain.end(), [&](int id) { return report.regions[id].kind == Kind::reentrant; });
}

bool uses_parameter(const std::vector<int>& ascending, int parameter) {
  return std::binary_search(ascending.begin(), ascending.end(), parameter);
}

// Drops stages that are not regions and use no parameter; edges through them lead to the stages after them.
void choose_stages(const std::vector<Stage>& all, Selection& selection) {
  std::vector<Stage>& shown = selection.stages;
  std::vector<int> position(all.size(), none);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].region == none && all[i].parameters.empty()) continue;
    position[i] = static_cast<int>(shown.size());
    shown.push_back(all[i]);
    selection.position.push_back(static_cast<int>(i));
  }
  std::vector<std::set<int>> reached(all.size());
  for (std::size_t i = all.size(); i-- > 0;) {
    for (const int next : all[i].next) {
      if (position[next] != none) reached[i].insert(position[next]);
      if (position[next] == none) reached[i].insert(reached[next].begin(), reached[next].end());
    }
    if (position[i] != none) shown[position[i]].next.assign(reached[i].begin(), reached[i].end());
  }
}

// Parameters affected by findings other than notes: for each, which finding; none for all others.
std::vector<int> findings_by_parameter(const Report& report) {
  std::vector<int> finding(report.parameters.size(), none);
  for (std::size_t i = report.findings.size(); i-- > 0;) {
    if (report.findings[i].severity == Severity::note) continue;
    for (const Group& group : report.findings[i].groups) {
      for (const int parameter : group.parameters) finding[parameter] = static_cast<int>(i);
    }
  }
  return finding;
}

// Those that the verdict names. A parameter that the loss does not need is untrained too, but only noted.
std::vector<int> named_parameters(const Verdict& verdict, const std::vector<int>& finding) {
  if (verdict.outcome != Outcome::pass) return verdict.parameters;
  if (!verdict.unsynchronised.empty()) return verdict.unsynchronised;
  std::vector<int> named = verdict.untrained;
  std::erase_if(named, [&](int parameter) { return finding[parameter] == none; });
  return named;
}

class Uses {
 public:
  Uses(const Report& report, Selection& selection) : report_(report), selection_(selection) {
    for (std::size_t i = 0; i < selection.stages.size(); ++i) {
      if (selection.stages[i].region != none) stage_of_region_[selection.stages[i].region] = static_cast<int>(i);
    }
    selection.uses.resize(selection.stages.size());
    for (const RegionReport& region : report.regions) {  // parents precede children
      top_.push_back(region.parent == none ? region.id : top_[region.parent]);
      within_[top_.back()].push_back(region.id);
    }
  }

  void find(int parameter) {
    const std::vector<Cause>& causes = report_.parameters[parameter].heard;
    std::vector<std::pair<int, Use>> found;
    for (const Cause cause : causes)
      if (!cause.is_region() || report_.regions[cause.region()].in_turn == 0)
        found.push_back(cause.is_region() ? inner_use(parameter, cause.region()) : outer_use(parameter, cause));
    std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& [stage, use] = found[i];
      use.number = use.last = static_cast<int>(i) + 1;
      const bool again = i > 0 && stage == found[i - 1].first && use.cause == found[i - 1].second.cause;
      if (again) use.number = found[i - 1].second.number;
      const bool last = i + 1 == found.size() || stage != found[i + 1].first || use.cause != found[i + 1].second.cause;
      if (last) add(stage, use);
    }
    if (found.empty()) add_silent(parameter);  // in the graph that is drawn, the first
  }

 private:
  std::pair<int, Use> inner_use(int parameter, int region) {
    const auto stage = stage_of_region_.find(top_[region]);
    return {stage == stage_of_region_.end() ? none : stage->second, Use{parameter, region, region}};
  }

  // The outer graph fires a parameter once its last gradient has arrived: at the last stage that uses it in the outer graph.
  std::pair<int, Use> outer_use(int parameter, Cause cause) {
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
      selection_.position.push_back(none);
      selection_.uses.emplace_back();
    }
    return static_cast<int>(selection_.stages.size()) - 1;
  }

  const Report& report_;
  Selection& selection_;
  std::map<int, int> stage_of_region_;
  std::vector<int> top_;                    // for each region, the outermost one around it
  std::map<int, std::vector<int>> within_;  // for each outermost region, itself and all regions inside it
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

bool holds(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Regions whose backward passes meet where only one may come: a conflict that shows in no parameter.
bool is_in_second_run(const Report& report, int region) {
  return region != none && report.second_run && holds(regions_of(report.second_run->causes), region);
}

class Segmentation {
 public:
  Segmentation(const Report& report, const Selection& selection, const PictureOptions& options)
      : report_(report),
        selection_(selection),
        whole_(options.whole),
        bounds_(options.whole ? of_whole
                : has_focus() ? of_focus
                              : of_conflict) {
    for (std::size_t i = 0; i < selection.stages.size(); ++i)
      signatures_.push_back(signature(report, selection, static_cast<int>(i)));
    full_.resize(selection.stages.size());
    choose_full();
    near_ = stages_near(options.radius);
  }

  std::vector<Segment> segments() const {
    const bool apart = whole_ || has_focus();
    if (apart) {
      auto all = fold(Folding::never);
      if (all.size() <= bounds_.most_segments) return all;
    }
    for (const Folding folding : {Folding::siblings, Folding::alike}) {
      auto some = fold(folding);
      if (some.size() <= bounds_.most_segments) return some;
    }
    return fold(Folding::regardless);
  }

 private:
  // How freely stages that follow one another are folded.
  enum class Folding { never, siblings, alike, regardless };

  bool has_focus() const { return !selection_.focus.name.empty(); }

  bool is_focus(std::size_t stage) const {
    const int region = selection_.stages[stage].region;
    const auto is_top = [&](int id) { return region != none && enclosing_regions(report_, id).front() == region; };
    if (std::any_of(selection_.focus.regions.begin(), selection_.focus.regions.end(), is_top)) return true;
    if (!selection_.focus.regions.empty()) return false;
    return uses_one_of(stage, selection_.focus.parameters);
  }

  bool uses_one_of(std::size_t stage, const std::vector<int>& parameters) const {
    const auto& uses = selection_.uses[stage];
    return std::any_of(uses.begin(), uses.end(), [&](const Use& use) { return holds(parameters, use.parameter); });
  }

  // First the stages that use the parameter in the title, then one for each kind of conflict that these do not show.
  void choose_full() {
    std::set<Signature> shown;
    int chosen = 0;
    const auto choose = [&](std::size_t stage) {
      full_[stage] = true;
      shown.insert(signatures_[stage]);
      ++chosen;
    };
    const std::vector<int> title(selection_.named.begin(), selection_.named.begin() + (selection_.named.empty() ? 0 : 1));
    for (std::size_t i = 0; i < full_.size() && chosen < bounds_.stages_of_named; ++i)
      if (has_focus() ? is_focus(i) : uses_one_of(i, title) || is_in_second_run(report_, selection_.stages[i].region))
        choose(i);
    if (has_focus() && !whole_) return;
    for (std::size_t i = 0; i < full_.size() && chosen < bounds_.full_stages; ++i)
      if (!full_[i] && !selection_.uses[i].empty() && (whole_ || !shown.contains(signatures_[i]))) choose(i);
  }

  // All stages if there is no focus.
  std::vector<bool> stages_near(int radius) const {
    if (!has_focus() || whole_) return std::vector<bool>(full_.size(), true);
    std::vector<bool> near = full_;
    for (int step = 0; step < radius; ++step) {
      std::vector<bool> wider = near;
      for (std::size_t i = 0; i < full_.size(); ++i) {
        for (const int next : selection_.stages[i].next) {
          if (near[i]) wider[next] = true;
          if (near[next]) wider[i] = true;
        }
      }
      if (wider == near) break;
      near = std::move(wider);
    }
    return near;
  }

  std::vector<Segment> fold(Folding folding) const {
    std::vector<Segment> segments;
    for (int i = 0; i < static_cast<int>(full_.size()); ++i) {
      if (i > 0 && joins(i, folding)) {
        segments.back().last = i;
      } else {
        segments.push_back({i, i, full_[i]});
      }
    }
    return segments;
  }

  // Whether a stage goes into the same box as the stage before it.
  bool joins(int i, Folding folding) const {
    if (full_[i] || full_[i - 1]) return false;
    if (folding == Folding::regardless || (!near_[i] && !near_[i - 1])) return true;
    if (folding == Folding::never || near_[i] != near_[i - 1] || signatures_[i] != signatures_[i - 1]) return false;
    const Stage &stage = selection_.stages[i], &before = selection_.stages[i - 1];
    return folding == Folding::alike || (stage.region != none && path_of(stage) == path_of(before));
  }

  static std::string path_of(const Stage& stage) {
    const auto dot = stage.label.rfind('.');
    return dot == std::string::npos ? std::string() : stage.label.substr(0, dot);
  }

  const Report& report_;
  const Selection& selection_;
  bool whole_;
  Bounds bounds_;
  std::vector<Signature> signatures_;
  std::vector<bool> full_, near_;
};

}  // namespace

std::vector<int> enclosing_regions(const Report& report, int region) {
  std::vector<int> chain;
  for (; region >= 0; region = report.regions[region].parent) chain.push_back(region);
  std::reverse(chain.begin(), chain.end());
  return chain;
}

Selection select(const Report& report, const PictureOptions& options) {
  Selection selection;
  if (!options.focus.empty()) selection.focus = find_focus(report, options.focus);
  choose_stages(report.stages, selection);
  selection.finding = findings_by_parameter(report);
  selection.named = named_parameters(report.verdict, selection.finding);
  for (const int parameter : selection.named)
    if (selection.finding[parameter] == none) selection.finding[parameter] = 0;
  Uses uses(report, selection);
  for (int p = 0; p < static_cast<int>(report.parameters.size()); ++p)
    if (selection.in_conflict(p) || uses_parameter(selection.focus.parameters, p)) uses.find(p);
  selection.segments = Segmentation(report, selection, options).segments();
  return selection;
}

}  // namespace gradscan
