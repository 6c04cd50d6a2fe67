#include "analyzer/diagnose/why.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "analyzer/base/sort_unique.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/text/prose.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

constexpr std::size_t causes_explained = 3;
constexpr std::size_t names_listed = 3;

// All groups that share one cause.
struct SharedReason {
  Reason reason;
  const Diagnosis* first;  // of its first group
  std::vector<int> parameters, regions;
  bool outside = false;
  int firings = 0;    // of each parameter; 0 if they differ
  bool alike = true;  // whether all parameters are used in the same places
};

void add_group(SharedReason& shared, const ExplainedGroup& each) {
  const Group& group = each.group;
  shared.alike &= shared.first->regions == each.diagnosis.regions && shared.first->outside == each.diagnosis.outside;
  shared.parameters.insert(shared.parameters.end(), group.parameters.begin(), group.parameters.end());
  shared.regions.insert(shared.regions.end(), each.diagnosis.regions.begin(), each.diagnosis.regions.end());
  shared.outside |= each.diagnosis.outside;
  if (shared.firings != group.firings) shared.firings = 0;
}

std::vector<SharedReason> by_cause(const std::vector<ExplainedGroup>& groups) {
  std::vector<SharedReason> causes;
  for (const ExplainedGroup& each : groups) {
    auto known = std::find_if(causes.begin(), causes.end(),
                              [&](const SharedReason& shared) { return shared.reason == each.diagnosis.reason; });
    if (known == causes.end())
      known = causes.insert(
          causes.end(),
          SharedReason{.reason = each.diagnosis.reason, .first = &each.diagnosis, .firings = each.group.firings.value_or(0)});
    add_group(*known, each);
  }
  for (SharedReason& shared : causes) {
    std::sort(shared.parameters.begin(), shared.parameters.end());
    sort_unique(shared.regions);
  }
  std::stable_sort(causes.begin(), causes.end(), [](const SharedReason& left, const SharedReason& right) {
    return left.parameters.size() > right.parameters.size();
  });
  if (causes.size() > causes_explained) causes.resize(causes_explained);
  return causes;
}

class Explanation {
 public:
  explicit Explanation(const Report& report) : report_(report), names_(report) {}

  std::string operator()(const SharedReason& all) const {
    switch (all.reason) {
      case Reason::fires_several_times:
        return fires_several_times(all);
      case Reason::several_forwards:
        return several_forwards(all);
      case Reason::taken_by_loss:
        return taken_by_loss(all);
      case Reason::unseen_but_in_loss:
        return unseen_but_in_loss(all);
      case Reason::several_backwards:
        return several_backwards(all);
      case Reason::inside_region:
        return inside_region(all);
      case Reason::returned_itself:
        return returned_itself(all);
      case Reason::behind_hidden_output:
        return behind_hidden_output(all);
      case Reason::not_used:
        return not_used(all);
      case Reason::not_in_loss:
        return not_in_loss(all);
      case Reason::no_argument_with_grad:
        return no_argument_with_grad(all);
      case Reason::nested_outputs:
        return nested_outputs(all);
      case Reason::not_in_every_graph:
        return not_in_every_graph(all);
      case Reason::cut_off:
        return cut_off(all);
      case Reason::only_through_sink:
        return only_through_sink(all);
      case Reason::zero_gradient:
        return zero_gradient(all);
      case Reason::after_the_last_mark:
        return after_the_last_mark(all);
      case Reason::later_backward:
        return later_backward(all);
      case Reason::no_tensor_found:
        return no_tensor_found();
      case Reason::around_unrecorded:
        return unrecorded_in_words(report_);
      case Reason::unknown:
        break;
    }
    return "";
  }

 private:
  static bool one(const SharedReason& all) { return all.parameters.size() == 1; }
  static const char* pick(const SharedReason& all, const char* singular, const char* plural) {
    return one(all) ? singular : plural;
  }
  static const char* them(const SharedReason& all) { return pick(all, "it", "them"); }
  static const char* hook_fires(const SharedReason& all) { return pick(all, "hook fires", "hooks fire"); }
  static std::string how_often(const SharedReason& all) { return all.firings == 0 ? "more than once" : times(all.firings); }

  std::string who(const SharedReason& all) const { return parameters_in_words(report_, all.parameters); }

  // "region layer4.2", "regions l1 and l2", "the 16 reentrant regions"
  std::string where(const SharedReason& all) const {
    if (all.regions.size() > names_listed) return regions(all);
    return fmt::format("{} {}", all.regions.size() == 1 ? "region" : "regions", regions(all));
  }

  std::string regions(const SharedReason& all) const {
    if (all.regions.size() > names_listed) return fmt::format("the {}", count(all.regions.size(), "reentrant region"));
    return names_.list(all.regions);
  }

  std::string fires_several_times(const SharedReason& all) const {
    return fmt::format(
        "{}{} {} {}: {} Each reentrant region runs its own backward, which fires the hook{}. DDP counts every firing as a "
        "ready mark.",
        who(all), under_several_names(all), pick(all, "fires", "fire"), how_often(all), places_of_firings(all),
        all.outside ? ", and so does the outer backward" : "");
  }

  std::string places_of_firings(const SharedReason& all) const {
    if (!used_there(all))
      return fmt::format("in the inner backward of {}{}.", where(all), all.outside ? " and in the outer one" : "");
    if (!all.alike)
      return "each is used in more than one place, as listed above, at least one of them inside a reentrant region.";
    if (all.outside)
      return fmt::format("{} used inside {}{} and outside {}.", pick(all, "it is", "they are"),
                         all.regions.size() == 1 ? "the reentrant " : "", where(all), all.regions.size() == 1 ? "it" : "them");
    std::string list = all.regions.size() > names_listed ? "" : fmt::format(" ({})", regions(all));
    return fmt::format("{} used in more than one reentrant region{}{}.", pick(all, "it is", "each is"), list, nesting(all));
  }

  // A closure takes an inner backward to parameters that its region does not use.
  bool used_there(const SharedReason& all) const {
    return std::all_of(all.parameters.begin(), all.parameters.end(), [&](int parameter) {
      return std::any_of(all.regions.begin(), all.regions.end(), [&](int region) {
        const std::vector<int>& used = report_.regions[region].parameters;
        return std::binary_search(used.begin(), used.end(), parameter);
      });
    });
  }

  std::string nesting(const SharedReason& all) const {
    for (int region : all.regions) {
      int parent = report_.regions[region].parent;
      if (parent != none && std::binary_search(all.regions.begin(), all.regions.end(), parent))
        return fmt::format(", with {} nested in {}", names_[region], names_[parent]);
    }
    return "";
  }

  std::string under_several_names(const SharedReason& all) const {
    bool shared = std::all_of(all.parameters.begin(), all.parameters.end(),
                              [&](int index) { return !report_.parameters[index].aliases.empty(); });
    return shared ? pick(all, ", one tensor under several names,", ", shared under several names,") : "";
  }

  std::string several_forwards(const SharedReason& all) const {
    std::string calls = count(report_.setup.step.forwards, "forward call");
    if (all.regions.empty())
      return fmt::format(
          "The loss combines the results of {}, and the checkpoint around the model runs a separate backward for each, which "
          "fires the hooks of {}. DDP counts every firing as a ready mark.",
          calls, who(all));
    return fmt::format(
        "The loss combines the results of {}. Each call executes {} separately, with an inner backward that fires {} of {}, "
        "and DDP counts every firing as a ready mark. A single forward call with all batches would run each inner backward "
        "once.",
        calls, where(all), pick(all, "the hook", "the hooks"), who(all));
  }

  std::string taken_by_loss(const SharedReason& all) const {
    return fmt::format(
        "The loss uses {} directly, in addition to forward's result. That fires the {} in the outer backward, and the inner "
        "backward of {} fires {} again. DDP counts every firing as a ready mark.",
        who(all), pick(all, "hook", "hooks"), where(all), them(all));
  }

  std::string unseen_but_in_loss(const SharedReason& all) const {
    return fmt::format(
        "DDP's search for unused parameters starts from forward's return value. Nothing there leads to {0}, so the search "
        "marks {1} ready at once; but the loss also uses {1} directly, and the {2} all the same. Without "
        "find_unused_parameters=True nothing marks {1} beforehand.",
        who(all), them(all), hook_fires(all));
  }

  std::string several_backwards(const SharedReason& all) const {
    return fmt::format(
        "Backward runs {} for one forward. The first leaves DDP waiting for a parameter that gets no gradient, so the second "
        "marks {} again. Add up the losses and call backward once.",
        times(report_.setup.step.backwards), who(all));
  }

  std::string later_backward(const SharedReason& all) const {
    return fmt::format(
        "Backward runs {} for one forward. DDP averages the gradients at the end of the first and ignores the others: what "
        "{} {} from the second on stays local to each rank. Add up the losses and call backward once.",
        times(report_.setup.step.backwards), who(all), pick(all, "gets", "get"));
  }

  std::string no_tensor_found() const {
    bool found = std::any_of(report_.outputs.begin(), report_.outputs.end(), [](auto& output) { return output.found_by_ddp; });
    return fmt::format(
        "With static_graph=True, DDP starts the first iteration's all-reduce from a node that it attaches to the tensors in "
        "forward's return value. {}, so what the first backward computes stays local.",
        found ? "It looks inside tuples, lists and dicts, but not inside the dataclass returned here" : "It finds none there");
  }

  std::string not_in_every_graph(const SharedReason& all) const {
    const std::vector<int>& idle = report_.parameters[all.parameters.front()].idle_in;
    bool same = std::all_of(all.parameters.begin(), all.parameters.end(),
                            [&](int parameter) { return report_.parameters[parameter].idle_in == idle; });
    std::string text = "The graph changes from one forward call to the next, and not every graph leads to " + who(all);
    if (!same) return text + ".";
    const bool one_graph = idle.size() == 1;
    return fmt::format("{}: {} of {} {} not.", text, one_graph ? "that" : "those", names_of_graphs(report_, idle),
                       one_graph ? "does" : "do");
  }

  std::string inside_region(const SharedReason& all) const {
    return fmt::format(
        "The {} of {} {} {}{}; {} is DDP's own: with find_unused_parameters=True its search walks the autograd graph from "
        "forward's return value and at once marks every parameter that it does not find. The graph inside a reentrant region "
        "exists only while backward runs, so the search cannot find the parameters of {}, and their hooks mark them again.",
        pick(all, "hook", "hooks"), who(all), pick(all, "fires", "fire"), how_often(all), pick(all, "", " each"),
        all.firings == 1 ? "the other mark" : "one more mark",
        all.regions.size() > names_listed ? count(all.regions.size(), "reentrant region") : where(all));
  }

  std::string returned_itself(const SharedReason& all) const {
    const ParameterReport& first = report_.parameters[all.parameters.front()];
    return fmt::format(
        "forward returns {0} {1}{2}. A parameter has no backward node from which DDP's search for unused parameters could "
        "start, so the search takes {3} to be unused and marks {3} ready; the {4} all the same.",
        who(all), pick(all, "itself", "themselves"), one(all) ? fmt::format(" ({})", first.returned_as) : "", them(all),
        hook_fires(all));
  }

  std::string behind_hidden_output(const SharedReason& all) const {
    bool none_found =
        std::none_of(report_.outputs.begin(), report_.outputs.end(), [](auto& output) { return output.found_by_ddp; });
    return fmt::format(
        "DDP's search for unused parameters starts from the tensors that it finds in forward's return value (in lists, tuples, "
        "dicts and dataclasses). {}, so it takes {} to be unused and marks {} ready; then the {}.",
        none_found ? "It finds none" : "It does not find the outputs that lead to " + who(all),
        none_found ? "every parameter" : them(all), none_found ? "it" : them(all), hook_fires(all));
  }

  std::string not_used(const SharedReason& all) const {
    return fmt::format(
        "Nothing that forward returns leads back to {0}: forward does not use {1}, or it drops or detaches what it computes "
        "from {1}.",
        who(all), them(all));
  }

  std::string not_in_loss(const SharedReason& all) const {
    return fmt::format("forward uses {}{}, but nothing computed from {} leads to the loss.", who(all),
                       all.regions.empty() ? "" : fmt::format(" (in {})", where(all)), them(all));
  }

  std::string cut_off(const SharedReason& all) const {
    return fmt::format(
        "No gradient reaches {}: a reentrant region that backward does not execute lies between {} and the loss.", who(all),
        them(all));
  }

  // The first of these regions has no argument that requires grad. Its output therefore does not require grad either, which is
  // why the others are not executed.
  std::string no_argument_with_grad(const SharedReason& all) const {
    const RegionReport& first = report_.regions[all.regions.front()];
    std::string arguments = first.arguments == 0 ? "it has no direct tensor argument"
                            : first.arguments == 1
                                ? "its only direct tensor argument does not require grad"
                                : fmt::format("none of its {} requires grad", count(first.arguments, "direct tensor argument"));
    std::string text = fmt::format(
        "Backward never executes the reentrant region {}: {} (tensors inside lists, dicts or objects do not count), so torch "
        "records nothing for it, and what it would add to the gradients of its parameters is missing. It would be executed "
        "if an argument required grad; for the output of a frozen layer, call requires_grad_().",
        names_[first.id], arguments);
    const std::size_t further = all.regions.size() - 1;
    if (further == 0) return text;
    return fmt::format("{} The same is true of {}, {}{}.", text, count(further, "further region"),
                       further > 1 ? "the last of which is " : "", names_[all.regions.back()]);
  }

  std::string nested_outputs(const SharedReason& all) const {
    return fmt::format(
        "What the loss uses from {} is inside a dict or list. A reentrant region returns such tensors without grad, so "
        "backward never executes {}, and {} {} no gradient.",
        where(all), all.regions.size() == 1 ? "it" : "them", who(all), pick(all, "gets", "get"));
  }

  std::string only_through_sink(const SharedReason& all) const {
    return fmt::format(
        "The loss does not use the outputs that depend on {}. In iteration 0, DDP's sink, a node that it attaches to forward's "
        "result, still sends an (undefined) gradient there, so the {} and static_graph=True expects the same from then on. In "
        "iteration 1 the sink is gone, and the {} not fire.",
        who(all), hook_fires(all), pick(all, "hook does", "hooks do"));
  }

  std::string zero_gradient(const SharedReason& all) const {
    if (all.regions.empty())
      return fmt::format("{} {} a gradient of zero: what the loss uses does not depend on {}.", who(all),
                         pick(all, "gets", "get"), them(all));
    return fmt::format(
        "The inner backward of {} differentiates all outputs, including those that the loss does not use: {} {}, but the "
        "gradient is zero.",
        where(all), who(all), pick(all, "fires", "fire"));
  }

  std::string after_the_last_mark(const SharedReason& all) const {
    return fmt::format(
        "DDP averages the gradients once every parameter has been marked. Here the last first mark{} falls inside the inner "
        "backward of a reentrant region, and DDP finishes when that inner backward ends. What {} {} after that{} stays local "
        "to each rank{}.",
        last_mark(), who(all), pick(all, "gets", "get"), late_places(all), buckets(all));
  }

  std::string last_mark() const {
    if (!report_.verdict.last_mark) return "";
    auto [parameter, cause] = *report_.verdict.last_mark;
    return fmt::format(", that of {}{},", report_.parameters[parameter].name,
                       cause.is_region() ? fmt::format(" in region {}", names_[cause.region()]) : "");
  }

  // Causes of the late firings, if they are the same for all.
  std::vector<Cause> late(const SharedReason& all) const {
    std::vector<Cause> late = local_gradient(report_, all.parameters.front())->late;
    bool same = std::all_of(all.parameters.begin(), all.parameters.end(),
                            [&](int parameter) { return local_gradient(report_, parameter)->late == late; });
    sort_unique(late);
    return same ? late : std::vector<Cause>();
  }

  std::string late_places(const SharedReason& all) const {
    const std::vector<Cause> causes = late(all);
    if (causes.empty()) return " (marked above as too late)";
    std::vector<std::string> places;
    for (Cause cause : causes)
      if (!cause.is_region()) places.push_back("the " + outer_in_words(cause));
    const std::vector<int> regions = regions_of(causes);
    if (!regions.empty())
      places.push_back(fmt::format("{} {}", regions.size() == 1 ? "region" : "regions", names_.list(regions)));
    return fmt::format(", from {},", enumerate(places, 2));
  }

  std::string buckets(const SharedReason& all) const {
    std::set<int> buckets;
    for (int parameter : all.parameters)
      if (const LocalGradient* local = local_gradient(report_, parameter)) buckets.insert(local->bucket + 1);
    if (buckets.empty()) return "";
    std::vector<std::string> numbers;
    for (int bucket : buckets) numbers.push_back(std::to_string(bucket));
    return fmt::format(" ({} {} of {})", buckets.size() == 1 ? "bucket" : "buckets", enumerate(numbers, names_listed),
                       report_.buckets.size());
  }

  const Report& report_;
  RegionNames names_;
};

}  // namespace

std::string explain_causes(const Report& report, const std::vector<ExplainedGroup>& groups) {
  Explanation explain(report);
  std::vector<std::string> explanations;
  for (const SharedReason& shared : by_cause(groups))
    if (std::string sentences = explain(shared); !sentences.empty()) explanations.push_back(std::move(sentences));
  return fmt::format("{}", fmt::join(explanations, " "));
}

std::string with_index(const ParameterReport& parameter) {
  std::string aliases =
      parameter.aliases.empty() ? "" : fmt::format(", also called {}", enumerate(parameter.aliases, names_listed));
  return fmt::format("{} (index {}{})", parameter.name, parameter.index, aliases);
}

std::string parameters_in_words(const Report& report, const std::vector<int>& parameters) {
  if (parameters.size() > names_listed) return count(parameters.size(), "parameter");
  std::vector<std::string> words;
  for (int index : parameters) words.push_back(with_index(report.parameters[index]));
  return enumerate(words, names_listed);
}

}  // namespace gradscan
