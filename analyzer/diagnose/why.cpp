#include "analyzer/diagnose/why.h"

#include <algorithm>
#include <set>

#include "analyzer/diagnose/step_words.h"
#include "analyzer/text/prose.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

constexpr std::size_t causes_told = 3;
constexpr std::size_t names_told = 3;

// All groups with one cause.
struct Told {
  Cause cause;
  const Diagnosis* first;  // of its first group
  std::vector<int> parameters, regions;
  bool outside = false;
  int firings = 0;    // of each; 0 if they differ
  bool alike = true;  // whether all of them are used in the same places
};

std::vector<Told> by_cause(const std::vector<ExplainedGroup>& groups) {
  std::vector<Told> told;
  for (const ExplainedGroup& each : groups) {
    auto known = std::find_if(told.begin(), told.end(), [&](const Told& one) { return one.cause == each.diagnosis.cause; });
    if (known == told.end())
      known = told.insert(told.end(), Told{each.diagnosis.cause, &each.diagnosis, {}, {}, false, each.group.firings});
    const Group& group = each.group;
    known->alike &= known->first->regions == each.diagnosis.regions && known->first->outside == each.diagnosis.outside;
    known->parameters.insert(known->parameters.end(), group.parameters.begin(), group.parameters.end());
    known->regions.insert(known->regions.end(), each.diagnosis.regions.begin(), each.diagnosis.regions.end());
    known->outside |= each.diagnosis.outside;
    if (known->firings != group.firings) known->firings = 0;
  }
  for (Told& one : told) {
    std::sort(one.parameters.begin(), one.parameters.end());
    std::sort(one.regions.begin(), one.regions.end());
    one.regions.erase(std::unique(one.regions.begin(), one.regions.end()), one.regions.end());
  }
  std::stable_sort(told.begin(), told.end(),
                   [](const Told& left, const Told& right) { return left.parameters.size() > right.parameters.size(); });
  if (told.size() > causes_told) told.resize(causes_told);
  return told;
}

class Explanation {
 public:
  explicit Explanation(const Report& report) : report_(report), names_(report) {}

  std::string operator()(const Told& told) const {
    switch (told.cause) {
      case Cause::fires_several_times:
        return fires_several_times(told);
      case Cause::several_forwards:
        return several_forwards(told);
      case Cause::taken_by_loss:
        return taken_by_loss(told);
      case Cause::unseen_but_in_loss:
        return unseen_but_in_loss(told);
      case Cause::several_backwards:
        return several_backwards(told);
      case Cause::inside_region:
        return inside_region(told);
      case Cause::returned_itself:
        return returned_itself(told);
      case Cause::behind_hidden_output:
        return behind_hidden_output(told);
      case Cause::not_used:
        return "Nothing that forward returns leads back to " + who(told) + ": forward does not use " + them(told) +
               ", or drops or detaches what it computes from " + them(told) + ".";
      case Cause::not_in_loss:
        return not_in_loss(told);
      case Cause::no_argument_with_grad:
        return no_argument_with_grad(told);
      case Cause::nested_outputs:
        return nested_outputs(told);
      case Cause::not_in_every_graph:
        return not_in_every_graph(told);
      case Cause::cut_off:
        return "No gradient comes back to " + who(told) +
               ": a reentrant region that backward does not execute stands between " + them(told) + " and the loss.";
      case Cause::only_through_sink:
        return only_through_sink(told);
      case Cause::zero_gradient:
        return zero_gradient(told);
      case Cause::after_the_last_mark:
        return after_the_last_mark(told);
      case Cause::later_backward:
        return "Backward runs " + times(report_.setup.step.backwards) +
               " for one forward. DDP averages the gradients at the end "
               "of the first and then listens no more: what " +
               who(told) + " " + (one(told) ? "gets" : "get") +
               " from the second on stays local to each rank. Add the losses up and call backward once.";
      case Cause::never_reduced:
        return never_reduced(told);
      case Cause::no_tensor_found:
        return no_tensor_found();
      case Cause::around_unrecorded:
        return unrecorded_in_words(report_);
      case Cause::unknown:
        break;
    }
    return "";
  }

 private:
  static bool one(const Told& told) { return told.parameters.size() == 1; }
  static std::string them(const Told& told) { return one(told) ? "it" : "them"; }
  std::string who(const Told& told) const { return parameters_in_words(report_, told.parameters); }
  std::string where(const Told& told) const {
    return (told.regions.size() == 1 ? "region " : told.regions.size() > names_told ? "" : "regions ") + regions(told);
  }
  std::string regions(const Told& told) const {
    if (told.regions.size() > names_told) return "the " + count(told.regions.size(), "reentrant region");
    return names_.list(told.regions);
  }

  std::string fires_several_times(const Told& told) const {
    std::string text = who(told) + shared(told) + (one(told) ? " fires " : " fire ") +
                       (told.firings == 0 ? "more than once" : times(told.firings)) + ": ";
    if (!used_there(told)) {
      text += "in the inner backward of " + where(told) + (told.outside ? " and in the outer one." : ".");
    } else if (!told.alike) {
      text += "each is used in more than one place, as listed above, at least one of them inside of a reentrant region.";
    } else if (told.outside && told.regions.size() == 1) {
      text += (one(told) ? "it is" : "they are") + std::string(" used inside of the reentrant region ") + regions(told) +
              " and outside of it.";
    } else if (told.outside) {
      text += (one(told) ? "it is" : "they are") + std::string(" used inside of ") + where(told) + " and outside.";
    } else {
      text += (one(told) ? "it is" : "each is") + std::string(" used in more than one reentrant region") +
              (told.regions.size() > names_told ? "" : " (" + regions(told) + ")") + nesting(told) + ".";
    }
    return text + " Each reentrant region runs a backward of its own, which fires the hook" +
           (told.outside ? ", and so does the outer backward" : "") + ". DDP takes every firing for a ready mark.";
  }

  // A closure takes an inner backward to parameters that its region does not use.
  bool used_there(const Told& told) const {
    return std::all_of(told.parameters.begin(), told.parameters.end(), [&](int parameter) {
      return std::any_of(told.regions.begin(), told.regions.end(), [&](int region) {
        const std::vector<int>& used = report_.regions[region].parameters;
        return std::binary_search(used.begin(), used.end(), parameter);
      });
    });
  }

  std::string nesting(const Told& told) const {
    for (int region : told.regions) {
      int parent = report_.regions[region].parent;
      if (parent != none && std::binary_search(told.regions.begin(), told.regions.end(), parent))
        return ", " + names_[region] + " being nested in " + names_[parent];
    }
    return "";
  }

  std::string shared(const Told& told) const {
    bool all = std::all_of(told.parameters.begin(), told.parameters.end(),
                           [&](int index) { return !report_.parameters[index].aliases.empty(); });
    return !all ? "" : one(told) ? ", one tensor under several names," : ", shared under several names,";
  }

  std::string several_forwards(const Told& told) const {
    std::string calls = count(report_.setup.step.forwards, "forward call");
    if (told.regions.empty())
      return "The loss takes the results of " + calls +
             ", and the checkpoint around the model runs a backward of its own for "
             "each, which fires the hooks of " +
             who(told) + ". DDP takes every firing for a ready mark.";
    return "The loss takes the results of " + calls + ". Each of them executes " + where(told) +
           " by itself, with an inner backward that fires the hook" + (one(told) ? " of " : "s of ") + who(told) +
           ", and DDP takes every firing for a ready mark. One call with all batches has one.";
  }

  std::string taken_by_loss(const Told& told) const {
    return "The loss takes " + who(told) + (one(told) ? " itself" : " themselves") +
           ", besides forward's result. That fires the hook" + (one(told) ? "" : "s") +
           " in the outer backward, and the inner backward of " + where(told) +
           " fires again. DDP takes every firing for a ready mark.";
  }

  std::string unseen_but_in_loss(const Told& told) const {
    return "DDP's search for unused parameters starts from forward's return value. Nothing there leads to " + who(told) +
           ", so it marks " + them(told) + " as ready at once; but the loss takes " + them(told) + " besides, and the " +
           (one(told) ? "hook fires" : "hooks fire") + " all the same. Without find_unused_parameters=True nothing marks " +
           them(told) + " before.";
  }

  std::string several_backwards(const Told& told) const {
    return "Backward runs " + times(report_.setup.step.backwards) +
           " for one forward. The first leaves DDP waiting for a "
           "parameter that gets no gradient, so the second marks " +
           who(told) + " again. Add the losses up and call backward once.";
  }

  std::string no_tensor_found() const {
    bool found = std::any_of(report_.outputs.begin(), report_.outputs.end(), [](auto& output) { return output.found_by_ddp; });
    return std::string(
               "With static_graph=True DDP starts the first iteration's all-reduce from a node that it puts behind the "
               "tensors in forward's return value. ") +
           (found ? "For that it opens tuples, lists and dicts, but not the dataclass here" : "It finds none there") +
           ", so what the first backward computes stays local.";
  }

  std::string not_in_every_graph(const Told& told) const {
    const std::vector<int>& idle = report_.parameters[told.parameters.front()].idle_in;
    bool same = std::all_of(told.parameters.begin(), told.parameters.end(),
                            [&](int parameter) { return report_.parameters[parameter].idle_in == idle; });
    return "The graph changes from one forward call to the next, and not every one leads to " + who(told) +
           (same ? ": that of " + names_of_graphs(report_, idle) + " does not." : ".");
  }

  std::string never_reduced(const Told& told) const {
    std::set<int> iterations;
    for (int parameter : told.parameters) {
      const LocalGradient* local = local_gradient(report_, parameter);
      iterations.insert(local->iterations.begin(), local->iterations.end());
    }
    return "DDP reduces a bucket when all of its parameters are marked. What holds " + who(told) + " waits " +
           iterations_in_words({iterations.begin(), iterations.end()}) +
           " for a parameter that gets no gradient there, so what is in it stays local to each rank.";
  }

  std::string inside_region(const Told& told) const {
    std::string fires = told.firings == 0 ? "more than once" : times(told.firings);
    return (one(told) ? "The hook of " + who(told) + " fires " + fires
                      : "The hooks of " + who(told) + " fire " + fires + " each") +
           "; " + (told.firings == 1 ? "the other mark" : "one more mark") +
           " is DDP's own: "
           "with find_unused_parameters=True it walks the autograd graph from forward's return "
           "value and marks every parameter that it does not meet as ready at once. The graph inside of a reentrant region "
           "exists only while backward runs, so the walk cannot meet the parameters of " +
           (told.regions.size() > names_told ? count(told.regions.size(), "reentrant region") : where(told)) +
           ", and their hooks mark them again.";
  }

  std::string returned_itself(const Told& told) const {
    const ParameterReport& first = report_.parameters[told.parameters.front()];
    return "forward returns " + who(told) + " itself" + (one(told) ? " (" + first.returned_as + ")" : "") +
           ". A parameter has no backward node that DDP's search for unused parameters could start from, so the search takes " +
           them(told) + " for unused and marks " + them(told) + "; the hook fires all the same.";
  }

  std::string behind_hidden_output(const Told& told) const {
    bool none_found =
        std::none_of(report_.outputs.begin(), report_.outputs.end(), [](auto& output) { return output.found_by_ddp; });
    return "DDP's search for unused parameters starts from the tensors that it finds in forward's return value (in lists, "
           "tuples, dicts and dataclasses). " +
           std::string(none_found ? "It finds none" : "It does not find the outputs that lead to " + who(told)) +
           ", so it takes " + (none_found ? "every parameter" : them(told)) + " for unused and marks " +
           (none_found ? "it" : them(told)) + "; then the " + (one(told) ? "hook fires" : "hooks fire") + ".";
  }

  std::string not_in_loss(const Told& told) const {
    std::string in = told.regions.empty() ? "" : " (in " + where(told) + ")";
    return "forward uses " + who(told) + in + ", but nothing that is computed from " + them(told) + " leads to the loss.";
  }

  // The first of these regions lacks a gradient at its arguments; that its output then does not require grad is why the others
  // do.
  std::string no_argument_with_grad(const Told& told) const {
    const RegionReport& first = report_.regions[told.regions.front()];
    std::string arguments = first.arguments == 0 ? "it has no direct tensor argument"
                            : first.arguments == 1
                                ? "its only direct tensor argument does not require grad"
                                : "none of its " + count(first.arguments, "direct tensor argument") + " requires grad";
    std::string text =
        "Backward never executes the reentrant region " + names_[first.id] + ": " + arguments +
        " (tensors inside lists, dicts or objects do not count), so torch records nothing for it, and what it "
        "would add to the gradients of its parameters is missing. It would be executed if an argument required grad; a "
        "frozen layer's output can be made to with requires_grad_().";
    if (told.regions.size() > 1)
      text += " The same holds for " + count(told.regions.size() - 1, "further region") + ", " + names_[told.regions.back()] +
              (told.regions.size() > 2 ? " the last of them." : ".");
    return text;
  }

  std::string nested_outputs(const Told& told) const {
    return "What the loss takes from " + where(told) +
           " is inside of a dict or list. A reentrant region returns such tensors without grad, so backward never executes it "
           "and " +
           who(told) + (one(told) ? " gets" : " get") + " no gradient.";
  }

  std::string only_through_sink(const Told& told) const {
    return "The loss does not use the outputs that " + who(told) + (one(told) ? " leads" : " lead") +
           " to. In iteration 0 DDP's own node behind forward still sends an (undefined) gradient there, so the " +
           (one(told) ? "hook fires" : "hooks fire") +
           " and static_graph=True expects that from then on. The node is gone in "
           "iteration 1, and the firing does not come.";
  }

  std::string zero_gradient(const Told& told) const {
    if (told.regions.empty())
      return who(told) + (one(told) ? " gets" : " get") + " a gradient that is zero: what the loss takes does not depend on " +
             them(told) + ".";
    return "The inner backward of " + where(told) +
           " differentiates all outputs, also those that the loss does not use: " + who(told) +
           (one(told) ? " fires" : " fire") + ", but the gradient is zero.";
  }

  std::string after_the_last_mark(const Told& told) const {
    return "DDP averages the gradients when every parameter has been marked once. Here the last first mark" + last_mark() +
           " falls inside the inner backward of a reentrant region, and DDP finishes when that inner backward ends. What " +
           who(told) + (one(told) ? " gets" : " get") + " after that" + late_places(told) + " stays local to each rank" +
           buckets(told) + ".";
  }

  std::string last_mark() const {
    if (!report_.verdict.last_mark) return "";
    auto [parameter, cause] = *report_.verdict.last_mark;
    return ", that of " + report_.parameters[parameter].name + (cause >= 0 ? " in region " + names_[cause] : "") + ",";
  }

  // Causes of the late firings, if they are the same for all.
  std::vector<int> late(const Told& told) const {
    std::vector<int> late = local_gradient(report_, told.parameters.front())->late;
    bool same = std::all_of(told.parameters.begin(), told.parameters.end(),
                            [&](int parameter) { return local_gradient(report_, parameter)->late == late; });
    std::sort(late.begin(), late.end());
    late.erase(std::unique(late.begin(), late.end()), late.end());
    return same ? late : std::vector<int>();
  }

  std::string late_places(const Told& told) const {
    std::vector<int> regions = late(told);
    if (regions.empty()) return " (marked above as too late)";
    std::vector<std::string> places;
    for (int cause : regions)
      if (cause < 0) places.push_back("the " + outer_in_words(cause));
    std::erase_if(regions, [](int cause) { return cause < 0; });
    if (!regions.empty()) places.push_back((regions.size() == 1 ? "region " : "regions ") + names_.list(regions));
    return ", from " + enumerate(places, 2) + ",";
  }

  std::string buckets(const Told& told) const {
    std::set<int> buckets;
    for (int parameter : told.parameters)
      if (const LocalGradient* local = local_gradient(report_, parameter)) buckets.insert(local->bucket + 1);
    if (buckets.empty()) return "";
    std::vector<std::string> numbers;
    for (int bucket : buckets) numbers.push_back(std::to_string(bucket));
    return std::string(buckets.size() == 1 ? " (bucket " : " (buckets ") + enumerate(numbers, names_told) + " of " +
           std::to_string(report_.buckets.size()) + ")";
  }

  const Report& report_;
  RegionNames names_;
};

}  // namespace

std::string explain_causes(const Report& report, const std::vector<ExplainedGroup>& groups) {
  Explanation explain(report);
  std::string text;
  for (const Told& told : by_cause(groups)) {
    std::string sentences = explain(told);
    if (!sentences.empty()) text += (text.empty() ? "" : " ") + sentences;
  }
  return text;
}

std::string with_index(const ParameterReport& parameter) {
  std::string text = parameter.name + " (index " + std::to_string(parameter.index);
  if (!parameter.aliases.empty()) text += ", also called " + enumerate(parameter.aliases, names_told);
  return text + ")";
}

std::string parameters_in_words(const Report& report, const std::vector<int>& parameters) {
  if (parameters.size() > names_told) return count(parameters.size(), "parameter");
  std::vector<std::string> words;
  for (int index : parameters) words.push_back(with_index(report.parameters[index]));
  return enumerate(words, names_told);
}

}  // namespace gradscan
