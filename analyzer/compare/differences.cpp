// Calls of regions are aligned by name and, within a name, by order; parameters by name and alias; outputs by path. Equal
// changes are one difference: 16 regions that are reentrant in the first and off in the second change together.
//
// What differs is looked for in the first graph of each capture, and applied to all graphs of the first capture.
//
// A difference can be applied if the first's graph has all it takes: a flag, a step, another kind of region, an argument
// without grad, a parameter that is frozen, unused or shared. What exists only in the second's graph cannot.
#include "analyzer/compare/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/graph/edits.h"
#include "analyzer/graph/name_globs.h"
#include "analyzer/graph/named_parameters.h"
#include "analyzer/graph/observed.h"
#include "analyzer/graph/predict.h"
#include "analyzer/text/globs.h"
#include "analyzer/text/prose.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr std::size_t names_shown = 4;

using Names = std::vector<std::string>;

std::string listed(const Names& names) {
  return enumerate(names, names_shown);
}

// "region a", "regions a, b and 3 more"
std::string counted(const std::string& noun, const Names& names) {
  return noun + (names.size() == 1 ? " " : "s ") + listed(names);
}

std::string yes_or_no(bool value) {
  return value ? "True" : "False";
}

std::string text_of(int number) {
  return std::to_string(number);
}

std::string text_of(const Names& globs) {
  return globs.empty() ? "none" : listed(globs);
}

std::string cap_in_words(const Setup& setup) {
  if (!setup.bucket_cap_mb) return "default";
  return fmt::format("{:g} MiB", *setup.bucket_cap_mb);
}

std::set<std::string> names_of(const Parameter& parameter) {
  std::set<std::string> names(parameter.aliases.begin(), parameter.aliases.end());
  names.insert(parameter.name);
  return names;
}

// Maps every name and alias to the position of its parameter.
std::map<std::string, int> positions_by_name(const Capture& capture) {
  std::map<std::string, int> positions;
  for (std::size_t at = 0; at < capture.parameters.size(); ++at)
    for (const std::string& name : names_of(capture.parameters[at])) positions.emplace(name, static_cast<int>(at));
  return positions;
}

// For each parameter, whether the loss depends on it.
std::vector<bool> parameters_in_loss(const Capture& capture) {
  std::vector<bool> nodes = nodes_in_loss(capture), result(capture.parameters.size());
  for (std::size_t id = 0; id < nodes.size(); ++id)
    if (nodes[id] && capture.nodes[id].role == Role::parameter) result[capture.nodes[id].parameter] = true;
  return result;
}

int node_of(const Capture& capture, int parameter) {
  for (std::size_t id = 0; id < capture.nodes.size(); ++id)
    if (capture.nodes[id].role == Role::parameter && capture.nodes[id].parameter == parameter) return static_cast<int>(id);
  return none;
}

// Redirects all edges from node `from` to `to`, or to nowhere.
void redirect(Capture& capture, int from, int to) {
  auto move = [&](GradEdge& edge) {
    if (edge.node == from) edge = to == none ? GradEdge{} : GradEdge{to, 0};
  };
  for (Node& node : capture.nodes) std::for_each(node.next.begin(), node.next.end(), move);
  for (Output& output : capture.outputs) move(output.edge);
}

Names globs_of(const Names& names) {
  Names globs;
  for (const std::string& name : names) globs.push_back(as_glob(name));
  return globs;
}

// The calls of a region name: all of them, or only the one in this position.
struct Calls {
  std::string name;
  std::optional<std::size_t> place{};

  std::string in_words() const { return place ? fmt::format("{} (call {})", name, *place + 1) : name; }
  auto operator<=>(const Calls&) const = default;
};

// Calls visit(region, whether it is one of these calls) for every region of that name.
void for_calls(Capture& capture, const Calls& calls, auto&& visit) {
  std::size_t place = 0;
  for (Region& region : capture.regions)
    if (region.name == calls.name) visit(region, calls.place.value_or(place) == place), ++place;
}

// Calls visit(graph) for the capture and each of its further graphs.
void for_graphs(Side& side, auto&& visit) {
  visit(side.capture);
  for (Capture& further : side.capture.further) visit(further);
}

void set_kinds(Side& side, const std::vector<Calls>& changed, Kind kind) {
  for_graphs(side, [&](Capture& graph) {
    for (const Calls& calls : changed)
      for_calls(graph, calls, [&](Region& region, bool selected) {
        if (selected) region.kind = kind;
      });
  });
}

void leave_unused(Capture& capture, const Names& names) {
  std::map<std::string, int> positions = positions_by_name(capture);
  for (const std::string& name : names)
    if (int node = node_of(capture, positions.at(name)); node != none) redirect(capture, node, none);
}

// Edges to the later node go to the earlier one, and the first of the two parameters keeps its name.
void share(Capture& capture, const std::string& kept, const std::string& gone) {
  std::map<std::string, int> positions = positions_by_name(capture);
  int first = std::min(positions.at(kept), positions.at(gone)), second = std::max(positions.at(kept), positions.at(gone));
  if (first == second) return;
  int a = node_of(capture, first), b = node_of(capture, second);
  if (a != none && b != none) {
    redirect(capture, std::max(a, b), std::min(a, b));
    capture.nodes[std::max(a, b)] = Node{};
  }
  if (int node = a == none || b == none ? std::max(a, b) : std::min(a, b); node != none) capture.nodes[node].parameter = first;
  Names &aliases = capture.parameters[first].aliases, &further = capture.parameters[second].aliases;
  aliases.push_back(capture.parameters[second].name);
  aliases.insert(aliases.end(), further.begin(), further.end());
  capture.parameters.erase(capture.parameters.begin() + second);
  for (Node& node : capture.nodes)
    if (node.parameter > second) --node.parameter;
}

// Whether the globs match parameters of the capture.
bool can_be_named(const Capture& capture, const Names& globs) {
  try {
    parameters_named(capture, "", globs);
    return true;
  } catch (const Error&) {
    return false;
  }
}

class Finder {
 public:
  Finder(const Side& first, const Side& second) : first_(first), second_(second) {}

  std::vector<UntriedDifference> find() {
    flags();
    step();
    outputs();
    kinds_of_regions();
    calls_of_regions();
    arguments_of_regions();
    parameters_of_one_side();
    frozen_parameters();
    unused_parameters();
    shared_parameters();
    return std::move(found_);
  }

 private:
  void add(std::string what, std::string first, std::string second, std::function<void(Side&)> apply = {}) {
    found_.push_back({std::move(what), std::move(first), std::move(second), std::move(apply)});
  }

  void flag(const std::string& name, bool Setup::*member) {
    bool wanted = second_.setup.*member;
    if (first_.setup.*member != wanted)
      add(name, yes_or_no(first_.setup.*member), yes_or_no(wanted), [=](Side& side) { side.setup.*member = wanted; });
  }

  void flags() {
    flag("find_unused_parameters", &Setup::find_unused_parameters);
    flag("static_graph", &Setup::static_graph);
    flag("gradient_as_bucket_view", &Setup::gradient_as_bucket_view);
    std::optional<double> cap = second_.setup.bucket_cap_mb;
    if (first_.setup.bucket_cap_mb != cap)
      add("bucket_cap_mb", cap_in_words(first_.setup), cap_in_words(second_.setup),
          [cap](Side& side) { side.setup.bucket_cap_mb = cap; });
  }

  template <typename Value>
  void step_member(const std::string& what, Value TrainingStep::*member) {
    const Value &here = first_.setup.step.*member, &there = second_.setup.step.*member;
    if (here != there) add(what, text_of(here), text_of(there), [=](Side& side) { side.setup.step.*member = there; });
  }

  void step() {
    step_member("forward calls per loss", &TrainingStep::forwards);
    step_member("backward calls per loss", &TrainingStep::backwards);
    step_member("losses inside no_sync()", &TrainingStep::no_sync);
    globs_of_step("parameters that the loss uses besides forward's result", &TrainingStep::used_outside);
    globs_of_step("parameters that the loss uses times zero", &TrainingStep::zero_times);
    Kind around = second_.setup.step.checkpoint_around;
    if (first_.setup.step.checkpoint_around != around)
      add("checkpoint around the model", in_words(first_.setup.step.checkpoint_around), in_words(around),
          [around](Side& side) { side.setup.step.checkpoint_around = around; });
    bool set_to_none = second_.setup.step.set_to_none;
    if (first_.setup.step.set_to_none != set_to_none)
      add("set_to_none of zero_grad", yes_or_no(!set_to_none), yes_or_no(set_to_none),
          [set_to_none](Side& side) { side.setup.step.set_to_none = set_to_none; });
  }

  void globs_of_step(const std::string& what, Names TrainingStep::*member) {
    std::size_t before = found_.size();
    step_member(what, member);
    if (found_.size() > before && !can_be_named(first_.capture, second_.setup.step.*member)) found_.back().apply = {};
  }

  static void for_outputs(Side& side, const std::string& path, auto&& visit) {
    for_graphs(side, [&](Capture& graph) {
      for (Output& output : graph.outputs)
        if (output.path == path) visit(output);
    });
  }

  void outputs() {
    for (const Output& here : first_.capture.outputs) {
      auto same_path = [&](const Output& output) { return output.path == here.path; };
      auto there = std::ranges::find_if(second_.capture.outputs, same_path);
      if (there == second_.capture.outputs.end()) continue;
      if (here.in_loss != there->in_loss)
        add("whether the loss uses " + here.path, yes_or_no(here.in_loss), yes_or_no(there->in_loss),
            [output = *there](Side& side) {
              for_outputs(side, output.path, [&](Output& changed) { changed.in_loss = output.in_loss; });
            });
      if (here.found_by_ddp != there->found_by_ddp)
        add(fmt::format("whether DDP finds {} in forward's result", here.path), yes_or_no(here.found_by_ddp),
            yes_or_no(there->found_by_ddp), [output = *there](Side& side) {
              for_outputs(side, output.path, [&](Output& changed) {
                changed.found_by_ddp = output.found_by_ddp;
                changed.behind_sink = output.behind_sink;
                changed.direct = output.direct;
              });
            });
    }
  }

  using Regions = std::map<std::string, std::vector<const Region*>>;  // calls by name

  static Regions regions_of(const Capture& capture) {
    Regions regions;
    for (const Region& region : capture.regions) regions[region.name].push_back(&region);
    return regions;
  }

  // Names in the order of forward, each once.
  static Names region_names(const Capture& capture) {
    Names names;
    std::set<std::string> seen;
    for (const Region& region : capture.regions)
      if (seen.insert(region.name).second) names.push_back(region.name);
    return names;
  }

  // Pairs each call of a name that both sides have with its change; a single entry if all calls change alike.
  template <typename Change>
  static std::vector<std::pair<Calls, Change>> by_calls(const std::string& name, const std::vector<Change>& changes) {
    if (std::all_of(changes.begin(), changes.end(), [&](const Change& change) { return change == changes.front(); }))
      return {{{name}, changes.front()}};
    std::vector<std::pair<Calls, Change>> result;
    for (std::size_t place = 0; place < changes.size(); ++place) result.push_back({{name, place}, changes[place]});
    return result;
  }

  // Empty: there is no such region.
  using Kinds = std::pair<std::optional<Kind>, std::optional<Kind>>;

  // Of the calls that both sides have; of all calls if only one side has such a region.
  static std::vector<Kinds> kinds_of_calls(const std::vector<const Region*>& here, const std::vector<const Region*>& there) {
    std::vector<Kinds> kinds;
    std::size_t count = here.empty() || there.empty() ? here.size() + there.size() : std::min(here.size(), there.size());
    auto kind_at = [](const std::vector<const Region*>& calls, std::size_t place) {
      return calls.empty() ? std::nullopt : std::optional(calls[place]->kind);
    };
    for (std::size_t place = 0; place < count; ++place) kinds.emplace_back(kind_at(here, place), kind_at(there, place));
    return kinds;
  }

  // Grouped by the kinds on both sides.
  void kinds_of_regions() {
    std::map<Kinds, std::vector<Calls>> changes;
    Regions here = regions_of(first_.capture), there = regions_of(second_.capture);
    Names names = region_names(first_.capture);
    for (const std::string& name : region_names(second_.capture))
      if (!here.contains(name)) names.push_back(name);
    for (const std::string& name : names)
      for (const auto& [calls, kinds] : by_calls(name, kinds_of_calls(here[name], there[name])))
        if (kinds.first != kinds.second) changes[kinds].push_back(calls);
    for (const auto& [kinds, changed] : changes) add_kinds(kinds.first, kinds.second, changed);
  }

  void add_kinds(std::optional<Kind> here, std::optional<Kind> there, const std::vector<Calls>& changed) {
    auto words = [](std::optional<Kind> kind) { return kind ? in_words(*kind) : "no such region"; };
    bool known = here || there != Kind::reentrant;  // adding a transparent region changes nothing
    std::function<void(Side&)> apply;
    if (known) apply = [=](Side& side) { set_kinds(side, changed, there.value_or(Kind::off)); };
    Names names;
    for (const Calls& calls : changed) names.push_back(calls.in_words());
    add(fmt::format("kind of {}", counted("region", names)), words(here), words(there), apply);
  }

  void calls_of_regions() {
    Regions here = regions_of(first_.capture), there = regions_of(second_.capture);
    for (const std::string& name : region_names(first_.capture))
      if (there.contains(name) && here[name].size() != there[name].size())
        add("calls of region " + name, std::to_string(here[name].size()), std::to_string(there[name].size()));
  }

  static Names slots_with_grad(const Capture& capture, const Region& region) {
    Names slots;
    const std::vector<GradEdge>& arguments = capture.nodes[region.begin].next;
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (arguments[slot].node != none) slots.push_back(std::to_string(slot));
    return slots;
  }

  // Of a call on both sides: the slots that have a gradient, and the number of slots.
  struct Arguments {
    Names here, there;
    std::size_t count_here = 0, count_there = 0;
    bool operator==(const Arguments&) const = default;
  };

  Arguments arguments_of(const Region& here, const Region& there) const {
    return {slots_with_grad(first_.capture, here), slots_with_grad(second_.capture, there),
            first_.capture.nodes[here.begin].next.size(), second_.capture.nodes[there.begin].next.size()};
  }

  // The arguments of a call are one difference.
  void arguments_of_regions() {
    Regions here = regions_of(first_.capture), there = regions_of(second_.capture);
    for (const std::string& name : region_names(first_.capture)) {
      std::vector<Arguments> arguments;
      for (std::size_t place = 0; place < std::min(here[name].size(), there[name].size()); ++place)
        arguments.push_back(arguments_of(*here[name][place], *there[name][place]));
      if (arguments.empty()) continue;
      for (const auto& [calls, each] : by_calls(name, arguments))
        if (each.here != each.there) add_arguments(calls, each);
    }
  }

  void add_arguments(const Calls& calls, const Arguments& arguments) {
    std::function<void(Side&)> apply;
    if (arguments.count_here == arguments.count_there)
      apply = [calls, slots = arguments.there](Side& side) { give_grad(side, calls, slots); };
    auto words = [](const Names& slots) { return slots.empty() ? "none" : listed(slots); };
    add(fmt::format("arguments of region {} that require grad", calls.in_words()), words(arguments.here),
        words(arguments.there), apply);
  }

  // The edit gives a gradient to all arguments of all calls of that name; the ones that should have none lose it again.
  static void give_grad(Side& side, const Calls& calls, const Names& slots) {
    std::vector<Names> wanted;
    for_graphs(side, [&](Capture& graph) {
      for_calls(graph, calls, [&](const Region& region, bool selected) {
        wanted.push_back(selected ? slots : slots_with_grad(graph, region));
      });
    });
    side.capture = edited(std::move(side.capture), {.require_grad = {as_glob(calls.name)}});
    auto next = wanted.begin();
    for_graphs(side, [&](Capture& graph) {
      for_calls(graph, calls, [&](const Region& region, bool) {
        const Names& kept = *next++;
        std::vector<GradEdge>& arguments = graph.nodes[region.begin].next;
        for (std::size_t slot = 0; slot < arguments.size(); ++slot)
          if (std::count(kept.begin(), kept.end(), std::to_string(slot)) == 0) arguments[slot] = {};
      });
    });
  }

  // Parameters of `capture` that require grad and share no name with `other`.
  static std::vector<int> missing(const Capture& capture, const Capture& other) {
    std::map<std::string, int> known = positions_by_name(other);
    std::vector<int> result;
    for (std::size_t at = 0; at < capture.parameters.size(); ++at) {
      std::set<std::string> names = names_of(capture.parameters[at]);
      bool is_known = std::any_of(names.begin(), names.end(), [&](const std::string& name) { return known.contains(name); });
      if (!is_known && capture.parameters[at].requires_grad) result.push_back(static_cast<int>(at));
    }
    return result;
  }

  static Names names_at(const Capture& capture, const std::vector<int>& places) {
    Names names;
    for (int place : places) names.push_back(capture.parameters[place].name);
    return names;
  }

  // If nothing is computed from a parameter, a model without it is like one where it is frozen.
  void parameters_of_one_side() {
    std::vector<bool> in_loss = parameters_in_loss(first_.capture);
    std::vector<int> only_here = missing(first_.capture, second_.capture);
    Names names = names_at(first_.capture, only_here);
    bool used = std::any_of(only_here.begin(), only_here.end(), [&](int place) { return in_loss[place]; });
    std::function<void(Side&)> apply;
    if (!used) apply = [names](Side& side) { side.capture = edited(std::move(side.capture), {.freeze = globs_of(names)}); };
    if (!names.empty()) add(counted("parameter", names), "present", "absent", apply);
    Names others = names_at(second_.capture, missing(second_.capture, first_.capture));
    if (!others.empty()) add(counted("parameter", others), "absent", "present");
  }

  // Calls visit(name, position here, position there) for every parameter that both sides have.
  void for_common(auto&& visit) const {
    std::map<std::string, int> known = positions_by_name(second_.capture);
    for (std::size_t at = 0; at < first_.capture.parameters.size(); ++at)
      if (auto found = known.find(first_.capture.parameters[at].name); found != known.end())
        visit(found->first, static_cast<int>(at), found->second);
  }

  void frozen_parameters() {
    Names there, here;
    for_common([&](const std::string& name, int first, int second) {
      bool trained = first_.capture.parameters[first].requires_grad, wanted = second_.capture.parameters[second].requires_grad;
      if (trained != wanted) (trained ? there : here).push_back(name);
    });
    if (!there.empty())
      add("requires_grad of " + listed(there), "True", "False",
          [there](Side& side) { side.capture = edited(std::move(side.capture), {.freeze = globs_of(there)}); });
    if (!here.empty()) add("requires_grad of " + listed(here), "False", "True");
  }

  void unused_parameters() {
    std::vector<bool> used_here = parameters_in_loss(first_.capture), used_there = parameters_in_loss(second_.capture);
    Names there, here;
    for_common([&](const std::string& name, int first, int second) {
      bool trained = first_.capture.parameters[first].requires_grad && second_.capture.parameters[second].requires_grad;
      if (trained && used_here[first] != used_there[second]) (used_here[first] ? there : here).push_back(name);
    });
    if (!there.empty())
      add("whether the loss depends on " + listed(there), "True", "False",
          [there](Side& side) { for_graphs(side, [&](Capture& graph) { leave_unused(graph, there); }); });
    if (!here.empty()) add("whether the loss depends on " + listed(here), "False", "True");
  }

  // A shared parameter cannot be split: the first's graph does not say which use goes by which name.
  void shared_parameters() {
    std::map<std::string, int> here = positions_by_name(first_.capture), there = positions_by_name(second_.capture);
    for (const auto& [one, other] : pairs(first_.capture, there))
      if (there.at(one) != there.at(other)) add(fmt::format("whether {} and {} are shared", one, other), "True", "False");
    for (const auto& [one, other] : pairs(second_.capture, here)) {
      if (here.at(one) == here.at(other)) continue;
      const Parameter &left = first_.capture.parameters[here.at(one)], &right = first_.capture.parameters[here.at(other)];
      std::function<void(Side&)> apply;
      if (left.shape == right.shape && left.requires_grad == right.requires_grad)
        apply = [one = one, other = other](Side& side) { for_graphs(side, [&](Capture& graph) { share(graph, one, other); }); };
      add(fmt::format("whether {} and {} are shared", one, other), "False", "True", apply);
    }
  }

  // The name of a shared parameter with each of its aliases, if both are in `known`.
  using Pairs = std::set<std::pair<std::string, std::string>>;

  static Pairs pairs(const Capture& capture, const std::map<std::string, int>& known) {
    Pairs result;
    for (const Parameter& parameter : capture.parameters)
      for (const std::string& alias : parameter.aliases)
        if (known.contains(parameter.name) && known.contains(alias)) result.emplace(parameter.name, alias);
    return result;
  }

  const Side& first_;
  const Side& second_;
  std::vector<UntriedDifference> found_;
};

}  // namespace

Side with_kinds(Side side) {
  settle_observation(side.capture);
  for_graphs(side, [&](Capture& graph) {
    for (Region& region : graph.regions) region.kind = kind_under(side.setup.checkpointing, region.kind);
  });
  side.setup.checkpointing = Checkpointing::as_given;
  return side;
}

std::vector<UntriedDifference> find_differences(const Side& first, const Side& second) {
  return Finder(first, second).find();
}

}  // namespace gradscan
