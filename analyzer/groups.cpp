#include "analyzer/groups.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

#include "analyzer/prose.h"

namespace gradscan {
namespace {

std::string module_of(const std::string& name) {
  std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

// The module path that all names have in common.
std::string common_module(const Report& report, const std::vector<int>& parameters) {
  std::string common = module_of(report.parameters[parameters.front()].name);
  for (int index : parameters) {
    const std::string& name = report.parameters[index].name;
    while (!common.empty() && !(name.starts_with(common) && name[common.size()] == '.')) common = module_of(common);
  }
  return common;
}

std::string relative(const std::string& name, const std::string& module) {
  return module.empty() ? name : name.substr(module.size() + 1);
}

bool is_within(const std::string& module, const std::string& region_name) {
  return module == region_name || module.starts_with(region_name + ".");
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

// The step (+1 or -1) by which all numbers that differ do so; nothing if the labels are not neighbours.
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

// "DDP's search does not find it (1), inner backward of layer4.2 (1)"
class Reasons {
 public:
  Reasons(const Report& report, const RegionNames& names) : report_(report), names_(names) {}

  std::string operator()(const Diagnosis& diagnosis, const ParameterReport& parameter, bool folded) const {
    std::vector<std::string> parts;
    if (marked_by_search(report_, parameter)) parts.push_back("DDP's search does not find it (1)");
    std::vector<int> causes = causes_asked(report_, parameter);
    for (std::size_t begin = 0, end; begin < causes.size(); begin = end) {
      end = std::upper_bound(causes.begin() + static_cast<std::ptrdiff_t>(begin), causes.end(), causes[begin]) - causes.begin();
      parts.push_back(source(causes[begin], folded) + " (" + std::to_string(end - begin) + ")");
    }
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    std::string cause = remark(diagnosis, folded);
    return text.empty() ? cause : cause.empty() ? text : text + "; " + cause;
  }

 private:
  std::string region(int id, bool folded) const { return folded ? "its region" : names_[id]; }

  std::string source(int cause, bool folded) const {
    return cause == none ? "outer backward" : "inner backward of " + region(cause, folded);
  }

  std::string remark(const Diagnosis& diagnosis, bool folded) const {
    std::string where = diagnosis.regions.empty() ? "its region" : region(diagnosis.regions.front(), folded);
    switch (diagnosis.cause) {
      case Cause::not_used:
        return "forward does not use it";
      case Cause::not_in_loss:
        return "the loss does not depend on it";
      case Cause::no_argument_with_grad:
        return where + " is not executed: no direct tensor argument requires grad";
      case Cause::nested_outputs:
        return where + " is not executed: its outputs are inside a dict or list";
      case Cause::cut_off:
        return "the gradient does not come back to it";
      case Cause::only_through_sink:
        return "fires in iteration 0 only, through DDP's sink";
      case Cause::zero_gradient:
        return "with zeros only";
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
  using Key = std::tuple<Cause, std::vector<int>, bool, std::string, int, int, bool>;

  void insert(int index) {
    const ParameterReport& parameter = report_.parameters[index];
    Diagnosis diagnosis = diagnose_(report_, parameter);
    int firings = static_cast<int>(causes_asked(report_, parameter).size()), marks = marks_asked(report_, parameter);
    std::string module = diagnosis.regions.empty() ? module_of(parameter.name) : "";
    Key key{diagnosis.cause, diagnosis.regions, diagnosis.outside, module, firings, marks, parameter.seen_by_search};
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
    std::string module = common_module(report_, group.parameters);
    group.label = regions_in_words(names_, group.regions);
    if (group.regions.empty()) {
      group.label = module.empty() ? "the model's root" : module;
    } else if (!module.empty() && !is_within(module, report_.regions[group.regions.front()].name)) {
      group.label += " (" + module + ")";
    } else if (!module.empty()) {
      module = report_.regions[group.regions.front()].name;
    }
    if (unit.diagnosis.outside && !group.regions.empty()) group.label += " and outside";
    for (int index : group.parameters) group.members.push_back(relative(report_.parameters[index].name, module));
    group.reason = Reasons(report_, names_)(unit.diagnosis, report_.parameters[group.parameters.front()], false);
  }

  static bool holds(const ExplainedGroup& unit, int named) {
    return std::binary_search(unit.group.parameters.begin(), unit.group.parameters.end(), named);
  }

  bool alike(const ExplainedGroup& left, const ExplainedGroup& right) const {
    const Group &a = left.group, &b = right.group;
    return left.diagnosis.cause == right.diagnosis.cause && left.diagnosis.outside == right.diagnosis.outside &&
           a.firings == b.firings && a.ready_marks == b.ready_marks && a.regions.size() == b.regions.size() &&
           a.regions.size() <= 1 && a.members == b.members &&
           report_.parameters[a.parameters.front()].seen_by_search == report_.parameters[b.parameters.front()].seen_by_search;
  }

  std::vector<ExplainedGroup> fold(int named) {
    std::vector<ExplainedGroup> folded;
    for (std::size_t begin = 0, end; begin < units_.size(); begin = end) {
      end = end_of_run(begin, named);
      folded.push_back(end - begin == 1 ? std::move(units_[begin]) : merge(begin, end));
    }
    return folded;
  }

  // One behind the last unit that continues what `begin` starts.
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
    group.label = units_[end - 1].group.label + " … " + units_[begin].group.label;
    group.folded = static_cast<int>(end - begin);
    group.reason = Reasons(report_, names_)(result.diagnosis, report_.parameters[group.parameters.front()], true);
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

std::vector<ExplainedGroup> group(const Report& report, const std::vector<int>& parameters, int named,
                                  const Diagnose& diagnose) {
  return Grouping(report, diagnose).run(parameters, named);
}

std::string regions_in_words(const RegionNames& names, const std::vector<int>& regions) {
  constexpr std::size_t named_at_most = 3;
  if (regions.size() > named_at_most)
    return names[regions.front()] + " … " + names[regions.back()] + " (" + count(regions.size(), "region") + ")";
  std::vector<std::string> words;
  for (int region : regions) words.push_back(names[region]);
  return enumerate(words, named_at_most);
}

}  // namespace gradscan
