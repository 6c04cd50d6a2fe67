// Everything about one parameter.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "analyzer/diagnose/causes.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/why.h"
#include "analyzer/formats/fix_words.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/text/near_matches.h"
#include "analyzer/text/prose.h"
#include "gradscan/error.h"
#include "gradscan/firings.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

class Story {
 public:
  Story(const Report& report, const ParameterReport& parameter, const TextOptions& options)
      : report_(report), parameter_(parameter), names_(report), out_(options) {}

  std::string write() {
    out_.prose(fmt::format("{} of {}", with_index(parameter_), report_.model), 0, Paint::bold);
    out_.item("tensor", tensor_in_words(parameter_.dtype, parameter_.shape), 2, column);
    uses();
    out_.item("bucket", bucket(), 2, column);
    firings();
    search();
    marks();
    findings();
    setups();
    write_fixes(out_, report_);
    return out_.take();
  }

 private:
  static constexpr int column = 12;

  std::string region_in_words(int region) const { return region == none ? "the outer graph" : "region " + names_[region]; }

  void uses() {
    if (parameter_.used_in.empty()) out_.item("used in", "no operation that records gradients", 2, column);
    for (int region : parameter_.used_in)
      out_.item(region == parameter_.used_in.front() ? "used in" : "",
                region == none ? "the outer graph" : about(report_.regions[region]), 2, column);
    if (!parameter_.returned_as.empty()) out_.item("returned", "as " + parameter_.returned_as, 2, column);
  }

  std::string about(const RegionReport& region) const {
    std::vector<std::string> facts{in_words(region.kind)};
    if (!region.source.empty()) facts.push_back(region.source);
    if (region.parent != none) facts.push_back("nested in " + names_[region.parent]);
    if (region.kind == Kind::reentrant) facts.push_back(region.executed ? "executed in backward" : "not executed in backward");
    return fmt::format("region {} ({}); {}", names_[region.id], fmt::join(facts, ", "), arguments(region));
  }

  static std::string arguments(const RegionReport& region) {
    int with_grad = region.arguments - static_cast<int>(region.arguments_without_grad.size());
    if (region.arguments == 0) return "it has no direct tensor arguments";
    if (region.arguments == 1)
      return std::string("its direct tensor argument ") + (with_grad == 1 ? "requires grad" : "does not require grad");
    std::string number = with_grad == 0 ? "none" : with_grad == region.arguments ? "all" : std::to_string(with_grad);
    return fmt::format("{} of its {} {} grad", number, count(region.arguments, "direct tensor argument"),
                       with_grad < 2 ? "requires" : "require");
  }

  std::string bucket() const {
    for (std::size_t bucket = 0; bucket < report_.buckets.size(); ++bucket)
      if (std::ranges::find(report_.buckets[bucket], parameter_.index) != report_.buckets[bucket].end())
        return fmt::format("{} of {}, with {}", bucket + 1, report_.buckets.size(),
                           count(report_.buckets[bucket].size() - 1, "other parameter"));
    return "unknown";
  }

  void firings() {
    out_.heading("Firings per iteration");
    const auto& firings = parameter_.firings;
    out_.item("reentrant", std::to_string(firings.reentrant), 2, wide);
    out_.item("non-reentrant", std::to_string(firings.non_reentrant), 2, wide);
    out_.item("no checkpointing", std::to_string(firings.off), 2, wide);
    out_.item("in this setup",
              fmt::format("{}{}{}", parameter_.fired_by.size(), sources(parameter_.fired_by, ": "),
                          sources(parameter_.fired_by_sink, "; with DDP's sink also ")),
              2, wide);
  }

  std::string sources(const std::vector<Cause>& causes, const std::string& before) const {
    std::map<Cause, int> firings;
    for (Cause cause : causes) ++firings[cause];
    std::vector<std::string> words;
    for (auto [cause, number] : firings)
      words.push_back(fmt::format(
          "the {}{}", cause.is_region() ? "inner backward of " + region_in_words(cause.region()) : outer_in_words(cause),
          number == 1 ? "" : fmt::format(" ({})", times(number))));
    return words.empty() ? "" : before + enumerate(words, 8);
  }

  void search() {
    out_.heading("DDP's search for unused parameters");
    if (parameter_.seen_by_search) return out_.prose("finds it in the outer graph.", 2);
    std::string why = "does not find it";
    std::vector<std::string> stops = search_stops();
    if (!stops.empty()) {
      why += fmt::format(": it stops at {}, whose inner graph exists only during backward", enumerate(stops, 4));
    } else if (!parameter_.returned_as.empty()) {
      why +=
          fmt::format(": forward returns it directly ({}), so there is no backward node to start from", parameter_.returned_as);
    } else {
      why += parameter_.used_in.empty() ? ": nothing uses it" : ": no output that DDP finds leads to it";
    }
    out_.prose(why + ". With find_unused_parameters=True that marks it ready.", 2);
  }

  // The outermost reentrant regions around its uses.
  std::vector<std::string> search_stops() const {
    std::set<int> stops;
    for (int region : parameter_.used_in) {
      int outermost = none;
      for (; region != none; region = report_.regions[region].parent)
        if (report_.regions[region].kind == Kind::reentrant) outermost = region;
      if (outermost != none) stops.insert(outermost);
    }
    std::vector<std::string> words;
    for (int region : stops) words.push_back("the reentrant region " + names_[region]);
    return words;
  }

  void marks() {
    out_.heading("Ready marks per iteration (should be 1)");
    const auto& marks = parameter_.ready_marks;
    out_.item("DDP's defaults", std::to_string(marks.defaults), 2, wider);
    out_.item("find_unused_parameters", std::to_string(marks.find_unused_parameters), 2, wider);
    out_.item("static_graph", std::to_string(marks.static_graph), 2, wider);
  }

  static constexpr int wide = 22, wider = 26;

  bool is_in(const std::vector<int>& ascending) const {
    return std::binary_search(ascending.begin(), ascending.end(), parameter_.index);
  }

  void findings() {
    for (const Finding& finding : report_.findings)
      for (const Group& group : finding.groups)
        if (is_in(group.parameters)) {
          out_.heading("In this setup: " + finding.rule);
          out_.prose(finding.title + ".", 2);
          out_.prose(finding.why, 2);
        }
  }

  void setups() {
    out_.heading("Outcome in each setup");
    for (const Verdict& verdict : report_.verdicts) out_.item(name(verdict.setup), fate(verdict), 2, 42);
  }

  static std::string name(const Setup& setup) {
    return fmt::format("{}, {}", in_words(setup.checkpointing),
                       setup.static_graph             ? "static_graph"
                       : setup.find_unused_parameters ? "find_unused_parameters"
                                                      : "DDP's defaults");
  }

  std::string fate(const Verdict& verdict) const {
    OutcomeWords outcome = in_words(report_, verdict);
    std::string text = outcome.words;
    if (verdict.iteration) text += fmt::format(" in iteration {}", *verdict.iteration);
    if (std::ranges::find(verdict.parameters, parameter_.index) != verdict.parameters.end()) return text + ", DDP names it";
    if (verdict.outcome != Outcome::pass) return text;
    if (is_in(verdict.unsynchronised)) return text + ": its gradient stays local to each rank";
    if (is_in(verdict.untrained)) return text + ": it gets no gradient";
    if (outcome.severity == Severity::clean) return text;
    return text + (loses_a_part() ? ": part of its gradient is missing" : ", but not this parameter");
  }

  bool loses_a_part() const {
    return parameter_.lost_in != none || std::any_of(report_.regions.begin(), report_.regions.end(), [&](auto& region) {
             return region.lost && std::binary_search(region.parameters.begin(), region.parameters.end(), parameter_.index);
           });
  }

  const Report& report_;
  const ParameterReport& parameter_;
  RegionNames names_;
  TerminalText out_;
};

std::vector<std::string> all_names(const Report& report) {
  std::vector<std::string> names;
  for (const ParameterReport& parameter : report.parameters) {
    names.push_back(parameter.name);
    names.insert(names.end(), parameter.aliases.begin(), parameter.aliases.end());
  }
  return names;
}

}  // namespace

std::string explain(const Report& report, std::string_view name_or_index, const TextOptions& options) {
  if (const ParameterReport* parameter = find_parameter(report, name_or_index))
    return Story(report, *parameter, options).write();
  std::string near = did_you_mean(name_or_index, all_names(report));
  std::string range =
      report.parameters.empty() ? "" : fmt::format("use a name or an index from 0 to {}", report.parameters.size() - 1);
  throw Error(Failure::usage, std::string(name_or_index), "is not a parameter that requires grad", near.empty() ? range : near);
}

}  // namespace gradscan
