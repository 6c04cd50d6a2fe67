#include "analyzer/diagnose/groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

std::string module_of(const std::string& name) {
  std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

bool is_within(const std::string& name, const std::string& module) {
  return name == module || name.starts_with(module + ".");
}

// The name of a (possibly shared) parameter within the region.
const std::string& name_in(const std::string& region, const ParameterReport& parameter) {
  if (is_within(parameter.name, region)) return parameter.name;
  auto alias = std::find_if(parameter.aliases.begin(), parameter.aliases.end(),
                            [&](const std::string& name) { return is_within(name, region); });
  return alias == parameter.aliases.end() ? parameter.name : *alias;
}

// The module path that all names have in common.
std::string common_module(const std::vector<std::string>& names) {
  std::string common = module_of(names.front());
  for (const std::string& name : names)
    while (!common.empty() && !is_within(name, common)) common = module_of(common);
  return common;
}

std::string relative(const std::string& name, const std::string& module) {
  return module.empty() ? name : name.substr(module.size() + 1);
}

// A label taken apart: text and numbers in turn.
struct Label {
  std::vector<std::string> texts{""};
  std::vector<long> numbers;
};

Label parse(const std::string& text) {
  Label label;
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    long number = 0;
    auto [next, error] = std::from_chars(at, end, number);
    if (next == at || *at == '-' || error != std::errc()) {
      label.texts.back() += *at++;
    } else {
      label.numbers.push_back(number);
      label.texts.emplace_back();
      at = next;
    }
  }
  return label;
}

// The step (+1 or -1) by which all differing numbers differ; nothing if the labels are not neighbours.
std::optional<long> step_between(const Label& from, const Label& to) {
  if (from.texts != to.texts) return {};
  long step = 0;
  for (std::size_t at = 0; at < from.numbers.size(); ++at) {
    long difference = to.numbers[at] - from.numbers[at];
    if (difference == 0) continue;
    if (std::abs(difference) != 1 || (step != 0 && difference != step)) return {};
    step = difference;
  }
  return step == 0 ? std::nullopt : std::optional(step);
}

// "DDP's search does not find it (1), inner backward of its region (1)"
class Reasons {
 public:
  Reasons(const Report& report, const RegionNames& names) : report_(report), names_(names) {}

  std::string operator()(const Diagnosis& diagnosis, const ParameterReport& parameter) const {
    std::vector<std::string> parts;
    std::map<Cause, int> sources;  // how often each cause fires
    for (Cause cause : parameter.heard) ++sources[cause];
    bool one_region = diagnosis.regions.size() == 1;
    if (marked_by_search(report_, parameter)) parts.push_back("DDP's search does not find it (1)");
    if (sources.size() <= 4) {
      for (const auto& [cause, times] : sources)
        parts.push_back(fmt::format("{} ({})", source(cause, one_region), times_in_words(cause, times, parameter)));
    } else {
      if (diagnosis.outside) parts.push_back(outer_in_words(sources.begin()->first) + " (1)");
      parts.push_back("inner backward of each of " + names_.list(diagnosis.regions));
    }
    if (report_.setup.step.backwards > 1 && !parts.empty())
      parts.push_back("in each of " + count(report_.setup.step.backwards, "backward"));
    if (std::string words = remark(diagnosis.reason, parameter); !words.empty()) parts.push_back(std::move(words));
    return fmt::format("{}", fmt::join(parts, ", "));
  }

 private:
  std::string source(Cause cause, bool one_region) const {
    if (!cause.is_region()) return outer_in_words(cause);
    return "inner backward of " + (one_region ? "its region" : names_[cause.region()]);
  }

  // With several backwards per loss, the reason mentions the later ones elsewhere.
  std::string times_in_words(Cause cause, int times, const ParameterReport& parameter) const {
    const LocalGradient* local = local_gradient(report_, parameter.index);
    auto late = local && report_.setup.step.backwards == 1 ? std::count(local->late.begin(), local->late.end(), cause) : 0;
    if (late == 0) return std::to_string(times);
    return fmt::format("{}{}, too late", times, late < times ? fmt::format(", the last {}", late) : "");
  }

  std::string remark(Reason reason, const ParameterReport& parameter) const {
    switch (reason) {
      case Reason::not_used:
        return "nothing that forward returns leads back to it";
      case Reason::not_in_loss:
        return "the loss does not depend on it";
      case Reason::no_argument_with_grad:
        return "its region is not executed, because none of its direct tensor arguments requires grad";
      case Reason::nested_outputs:
        return "its region is not executed, because its outputs are inside a dict or list";
      case Reason::cut_off:
        return "no gradient reaches it";
      case Reason::only_through_sink:
        return "fires only in iteration 0, through DDP's sink";
      case Reason::not_in_every_graph:
        return fmt::format("the graph of {} does not lead to it", names_of_graphs(report_, parameter.idle_in));
      case Reason::zero_gradient:
        return "only with zeros";
      default:
        return "";
    }
  }

  const Report& report_;
  const RegionNames& names_;
};

class Grouping {
 public:
  Grouping(const Report& report, const Diagnose& diagnose) : report_(report), names_(report), diagnose_(diagnose) {}

  std::vector<ExplainedGroup> run(const std::vector<int>& parameters, int named) {
    for (int index : parameters) insert(index);
    for (ExplainedGroup& unit : units_) complete(unit);
    std::stable_sort(units_.begin(), units_.end(), [&](const ExplainedGroup& left, const ExplainedGroup& right) {
      bool left_named = holds(left, named), right_named = holds(right, named);
      return left_named != right_named ? left_named : left.group.parameters.front() > right.group.parameters.front();
    });
    return fold(named);
  }

 private:
  using Key = std::tuple<Reason, std::vector<int>, bool, std::string, int, int, bool, std::vector<int>>;

  void insert(int index) {
    const ParameterReport& parameter = report_.parameters[index];
    Diagnosis diagnosis = diagnose_(report_, parameter);
    int firings = static_cast<int>(parameter.heard.size()), marks = marks_asked(report_, parameter);
    std::string module = diagnosis.regions.empty() ? module_of(parameter.name) : "";
    Key key{diagnosis.reason,         diagnosis.regions, diagnosis.outside, module, firings, marks,
            parameter.seen_by_search, parameter.idle_in};
    auto [place, is_new] = unit_of_.try_emplace(std::move(key), units_.size());
    if (is_new) units_.push_back({std::move(diagnosis), {}});
    Group& group = units_[place->second].group;
    group.parameters.push_back(index);
    group.firings = firings;
    group.ready_marks = marks;
  }

  void complete(ExplainedGroup& unit) const {
    Group& group = unit.group;
    group.regions = unit.diagnosis.regions;
    std::string region = group.regions.empty() ? "" : report_.regions[group.regions.front()].name;
    for (int index : group.parameters) group.members.push_back(name_in(region, report_.parameters[index]));
    std::string module = common_module(group.members);
    group.label = names_.list(group.regions);
    if (group.regions.empty()) {
      group.label = module.empty() ? "the root module" : module;
    } else if (!module.empty() && is_within(module, region)) {
      module = region;
    } else if (!module.empty()) {
      group.label += fmt::format(" ({})", module);
    }
    if (unit.diagnosis.outside && !group.regions.empty()) group.label += " and outside";
    for (std::string& member : group.members) member = relative(member, module);
    group.reason = Reasons(report_, names_)(unit.diagnosis, report_.parameters[group.parameters.front()]);
  }

  static bool holds(const ExplainedGroup& unit, int named) {
    return std::binary_search(unit.group.parameters.begin(), unit.group.parameters.end(), named);
  }

  bool alike(const ExplainedGroup& left, const ExplainedGroup& right) const {
    const Group &a = left.group, &b = right.group;
    const ParameterReport &p = report_.parameters[a.parameters.front()], &q = report_.parameters[b.parameters.front()];
    return left.diagnosis.reason == right.diagnosis.reason && left.diagnosis.outside == right.diagnosis.outside &&
           a.firings == b.firings && a.ready_marks == b.ready_marks && a.regions.size() == b.regions.size() &&
           a.regions.size() <= 1 && a.members == b.members && p.seen_by_search == q.seen_by_search && p.idle_in == q.idle_in;
  }

  std::vector<ExplainedGroup> fold(int named) {
    std::vector<ExplainedGroup> folded;
    for (std::size_t begin = 0, end; begin < units_.size(); begin = end) {
      end = end_of_run(begin, named);
      folded.push_back(end - begin == 1 ? std::move(units_[begin]) : merge(begin, end));
    }
    return folded;
  }

  // One past the last unit of the run that starts at `begin`.
  std::size_t end_of_run(std::size_t begin, int named) const {
    if (holds(units_[begin], named)) return begin + 1;
    std::optional<long> step;
    Label last = parse(units_[begin].group.label);
    std::size_t end = begin + 1;
    for (; end < units_.size() && alike(units_[begin], units_[end]); ++end) {
      Label label = parse(units_[end].group.label);
      std::optional<long> next = step_between(last, label);
      if (!next || (step && next != step)) break;
      step = next;
      last = std::move(label);
    }
    return end;
  }

  ExplainedGroup merge(std::size_t begin, std::size_t end) const {
    ExplainedGroup result = units_[begin];
    Group& group = result.group;
    for (std::size_t unit = begin + 1; unit < end; ++unit) {
      const Group& next = units_[unit].group;
      group.regions.insert(group.regions.end(), next.regions.begin(), next.regions.end());
      group.parameters.insert(group.parameters.end(), next.parameters.begin(), next.parameters.end());
    }
    std::sort(group.regions.begin(), group.regions.end());
    std::sort(group.parameters.begin(), group.parameters.end());
    group.label = fmt::format("{} … {}", units_[end - 1].group.label, units_[begin].group.label);
    group.folded = static_cast<int>(end - begin);
    result.diagnosis.regions = group.regions;
    return result;
  }

  const Report& report_;
  RegionNames names_;
  const Diagnose& diagnose_;
  std::map<Key, std::size_t> unit_of_;
  std::vector<ExplainedGroup> units_;
};

}  // namespace

std::string numbers_in_words(const Group& group) {
  if (!group.firings || !group.ready_marks) return "";
  return fmt::format("{}, {}", count(*group.firings, "firing"), count(*group.ready_marks, "ready mark"));
}

std::vector<ExplainedGroup> group(const Report& report, const std::vector<int>& parameters, int named,
                                  const Diagnose& diagnose) {
  return Grouping(report, diagnose).run(parameters, named);
}

}  // namespace gradscan
