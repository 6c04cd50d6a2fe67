// price() says what a single call frees, needs and costs when only that call is checkpointed. The figures of calls that are not
// nested add up, except for a tensor that one call saves and another takes as its argument: the first alone frees it, both
// together do not. So the knapsack (knapsack.h) works with sums, and price() then checks its choice. If the choice needs more
// than the sums promised, the knapsack is asked to free that much more, a few times. Finally, checkpoints that turn out not to
// be needed are dropped.
//
// All calls of a module are chosen together, because a checkpoint is written at the module. A module that is called from
// several others has no single position in the module tree and is left out. If the file names a region like a module, the name
// means the region, as it does for --checkpoint.
#include "analyzer/plan/planning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analyzer/graph/name_globs.h"
#include "analyzer/plan/knapsack.h"
#include "analyzer/presets/presets.h"
#include "analyzer/report/price_rows.h"
#include "analyzer/text/globs.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

// All calls of one name.
struct Calls {
  std::string name;
  bool of_file = false;  // regions that the file names, as opposed to plain module calls
  bool eligible = true;
  bool scattered = false;  // called from several others, or inside such a call
  int parent = none;       // what calls it
  std::vector<int> regions{};
};

bool is_of_file(const Region& region) {
  return region.origin != RegionOrigin::module && region.origin != RegionOrigin::changing_module &&
         region.origin != RegionOrigin::pattern;
}

std::vector<Calls> group_calls(const Capture& capture) {
  std::vector<Calls> calls;
  std::map<std::pair<std::string, bool>, int> number;
  std::vector<int> calls_of(capture.regions.size());
  for (std::size_t id = 0; id < capture.regions.size(); ++id) {
    const Region& region = capture.regions[id];
    auto [found, is_new] = number.try_emplace({region.name, is_of_file(region)}, static_cast<int>(calls.size()));
    int parent = region.parent == none ? none : calls_of[region.parent];
    if (is_new) calls.push_back({.name = region.name, .of_file = is_of_file(region), .parent = parent});
    Calls& group = calls[found->second];
    group.scattered = group.scattered || group.parent != parent;
    group.eligible = group.eligible && region.origin != RegionOrigin::changing_module;
    group.regions.push_back(static_cast<int>(id));
    calls_of[id] = found->second;
  }
  for (Calls& group : calls) {
    if (group.parent != none && calls[group.parent].scattered) group.scattered = true;
    bool means_another = !group.of_file && number.contains({group.name, true});
    group.eligible = group.eligible && !group.scattered && !means_another;
  }
  return calls;
}

// The price of checkpointing a given set of calls and nothing else.
class Pricer {
 public:
  Pricer(const Capture& capture, std::vector<Calls> calls) : capture_(capture), calls_(std::move(calls)) {
    for (Region& region : capture_.regions) region.kind = Kind::off;
  }

  const std::vector<Calls>& calls() const { return calls_; }

  Price price(const std::vector<int>& chosen) {
    Price price = gradscan::price(with(chosen), Checkpointing::as_given);
    set(chosen, Kind::off);
    return price;
  }

  // Valid until the next call.
  const Capture& with(const std::vector<int>& chosen) {
    set(chosen, Kind::non_reentrant);
    return capture_;
  }

 private:
  void set(const std::vector<int>& chosen, Kind kind) {
    for (int id : chosen)
      for (int region : calls_[id].regions) capture_.regions[region].kind = kind;
  }

  Capture capture_;
  std::vector<Calls> calls_;
};

std::vector<Option> options_of(Pricer& pricer, const Price& without) {
  std::vector<Option> options;
  for (std::size_t id = 0; id < pricer.calls().size(); ++id) {
    const Calls& calls = pricer.calls()[id];
    Option option{.parent = calls.parent, .eligible = calls.eligible};
    if (option.eligible) {
      Price alone = pricer.price({static_cast<int>(id)});
      option.freed = without.outside - alone.outside;
      option.recomputed = alone.largest;
      option.flops = alone.recompute_flops;
      option.eligible = option.freed > 0;
    }
    options.push_back(option);
  }
  return options;
}

// Bytes that a training iteration needs.
class Memory {
 public:
  Memory(const FixedMemory& fixed, double factor) : fixed_(fixed.sum()), factor_(factor) {}

  std::int64_t needed(const Price& price) const { return fixed_ + scaled(price, factor_).peak(); }

  // The largest peak allowed for the captured batch; one byte less if the factor rounds.
  std::int64_t peak_within(std::int64_t budget) const { return -of_captured_batch(fixed_ - budget) - (factor_ == 1 ? 0 : 1); }

  // Converts bytes of activations to those of the captured batch, rounded up.
  std::int64_t of_captured_batch(std::int64_t bytes) const {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) / factor_));
  }

 private:
  std::int64_t fixed_;
  double factor_;
};

// Finds the calls to checkpoint.
class Search {
 public:
  Search(const Price& without, std::int64_t budget, const Memory& memory, Pricer& pricer)
      : options_(options_of(pricer, without)), budget_(budget), memory_(memory), pricer_(pricer) {
    excess_ = without.outside - memory.peak_within(budget);
  }

  std::vector<int> run() {
    std::vector<int> best = attempt();
    std::int64_t least = needed(best);
    for (int attempts = 1; attempts < attempts_at_most && least > budget_; ++attempts) {
      excess_ += memory_.of_captured_batch(least - budget_);
      std::vector<int> chosen = attempt();
      if (needed(chosen) >= least) break;
      least = needed(chosen);
      best = std::move(chosen);
    }
    return best;
  }

 private:
  static constexpr int attempts_at_most = 8;

  std::int64_t needed(const std::vector<int>& chosen) const { return memory_.needed(pricer_.price(chosen)); }
  std::vector<int> attempt() const { return without_needless(choose(options_, excess_)); }

  // Drops calls that are not needed to fit: the most expensive first, then those that free least.
  std::vector<int> without_needless(std::vector<int> chosen) const {
    std::vector<int> order = chosen;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return options_[a].flops != options_[b].flops ? options_[a].flops > options_[b].flops
                                                    : options_[a].freed < options_[b].freed;
    });
    std::int64_t limit = std::max(budget_, needed(chosen));
    for (int candidate : order) {
      std::vector<int> fewer = chosen;
      std::erase(fewer, candidate);
      if (needed(fewer) <= limit) chosen = std::move(fewer);
    }
    return chosen;
  }

  std::vector<Option> options_;
  std::int64_t budget_, excess_ = 0;
  const Memory& memory_;
  Pricer& pricer_;
};

// A module may share its name with a preset, and the bare name would mean the preset.
std::string module_glob(const std::string& name) {
  return preset_named(name) == nullptr ? as_glob(name) : fmt::format("[{}]{}", name.substr(0, 1), name.substr(1));
}

// Options for gradscan's command line. A pattern that matches regions of the file applies to those only, so '*=off' disables
// them.
std::string command_line(const std::vector<Calls>& calls, const std::vector<int>& chosen) {
  std::vector<std::string> options;
  if (std::any_of(calls.begin(), calls.end(), [](const Calls& each) { return each.of_file; }))
    options.push_back("--checkpoint '*=off'");
  for (int id : chosen) options.push_back("--checkpoint " + gradscan::quoted(module_glob(calls[id].name) + "=non-reentrant"));
  return fmt::format("{}", fmt::join(options, " "));
}

// An error is worse than a silent failure; a silent failure is worse the more parameters it affects.
bool is_worse(const Verdict& with, const Verdict& without) {
  bool raises = with.outcome != Outcome::pass, raised_before = without.outcome != Outcome::pass;
  if (raises || raised_before) return raises && !raised_before;
  return with.unsynchronised.size() + with.untrained.size() > without.unsynchronised.size() + without.untrained.size();
}

// What the figure for two backwards, each over half the batch, assumes.
std::string caveats_of_accumulation(const Capture& capture, const Setup& setup) {
  std::vector<std::string> caveats;
  if (setup.static_graph) caveats.push_back("fails an internal check of DDP with static_graph=True");
  if (std::any_of(capture.nodes.begin(), capture.nodes.end(),
                  [](const Node& node) { return node.op.find("BatchNorm") != std::string::npos; }))
    caveats.push_back("batch normalisation sees half the batch");
  caveats.push_back("assumes memory proportional to the batch, an underestimate if a saved tensor does not depend on it");
  return fmt::format("{}", fmt::join(caveats, "; "));
}

std::vector<Alternative> alternatives(const Capture& capture, const Setup& setup, const PlanRequest& request,
                                      const Price& without, const FixedMemory& fixed, double factor) {
  std::vector<Alternative> alternatives;
  std::int64_t half = fixed.sum() + scaled(without, factor / 2).peak();
  std::optional<std::int64_t> batch = request.batch ? request.batch : batch_size(capture);
  if (!batch || *batch >= 2)
    alternatives.push_back(
        {"half the batch, two backwards (no_sync for the first)", half, caveats_of_accumulation(capture, setup)});
  alternatives.push_back({"autocast to bfloat16", half,
                          "assumes every activation is float32 and halved by autocast: masks, indices, losses and "
                          "normalisations are not halved, and casts of weights come on top"});
  return alternatives;
}

}  // namespace

void judge(Plan& plan, Verdict with, const Verdict& without) {
  if (is_worse(with, without)) {
    plan.modules.clear();
    plan.options.clear();
    plan.fits = false;
  }
  // A parameter that gets no gradient even without checkpoints is not the plan's conflict.
  std::erase_if(with.untrained, [&](int parameter) {
    return std::find(without.untrained.begin(), without.untrained.end(), parameter) != without.untrained.end();
  });
  plan.verdict = std::move(with);
}

Planned make_plan(const Capture& capture, const Setup& setup, const PlanRequest& request) {
  if (capture.regions.empty())
    throw Error(Failure::usage, capture.model, "has no module calls or regions to choose from",
                "use a model file, or a capture that has regions");
  double factor = batch_factor(capture, request.batch);
  Planned planned{.plan = {.budget = request.budget, .fixed = fixed_memory(capture, setup, request.optimizer)}};
  Plan& plan = planned.plan;
  Memory memory(plan.fixed, factor);
  Pricer pricer(capture, group_calls(capture));
  Price without = pricer.price({});
  std::vector<int> chosen = Search(without, request.budget, memory, pricer).run();

  planned.capture = pricer.with(chosen);
  Price price = gradscan::price(planned.capture, Checkpointing::as_given);
  for (int id : chosen) plan.modules.push_back(pricer.calls()[id].name);
  plan.price = scaled(price, factor);
  plan.needed = memory.needed(price);
  plan.fits = plan.needed <= request.budget;
  plan.needed_without = memory.needed(without);
  plan.needed_as_given = memory.needed(gradscan::price(capture, Checkpointing::as_given));
  plan.options = command_line(pricer.calls(), chosen);
  plan.alternatives = alternatives(capture, setup, request, without, plan.fixed, factor);
  return planned;
}

}  // namespace gradscan
