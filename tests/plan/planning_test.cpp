#include "analyzer/plan/planning.h"

#include <limits>
#include <random>
#include <set>

#include "gradscan/error.h"
#include "tests/support/catch.h"

using namespace gradscan;

namespace {

// What an operation saves, as bits.
constexpr int saves_input = 1, saves_result = 2, saves_mask = 4;

// A model that is a chain of operations in a tree of module calls.
class Model {
 public:
  Model() {
    capture.model = "m.pt";
    capture.parameters = {{"p", {}, {4}}};
    capture.nodes.push_back({.role = Role::parameter, .parameter = 0});
    capture.storages.push_back({100, false});
    capture.inputs = {{"x", "float32", {2, 3}}};
  }

  // A mask is something of its own, of half the size of the result.
  void operation(std::int64_t bytes, std::int64_t flops, int saves) {
    Node node{.op = "AddmmBackward0", .next = {{0, 0}, current_}, .saves_tensors = saves != 0, .forward_flops = flops};
    node.gradient_flops = {flops, flops};
    if (saves & saves_input) node.saved.push_back(storage_);
    storage_ = add_storage(bytes);
    if (saves & saves_result) node.saved.push_back(storage_);
    if (saves & saves_mask) node.saved.push_back(add_storage(bytes / 2));
    capture.nodes.push_back(std::move(node));
    current_ = {last(), 0};
  }

  void enter(const std::string& name, RegionOrigin origin = RegionOrigin::module) {
    capture.nodes.push_back({.role = Role::region_begin, .next = {current_}, .saved = {storage_}});
    int parent = open_.empty() ? none : open_.back();
    open_.push_back(static_cast<int>(capture.regions.size()));
    capture.regions.push_back({.name = name, .kind = Kind::off, .parent = parent, .begin = last(), .origin = origin});
    current_ = {last(), 0};
  }

  void leave() {
    capture.nodes.push_back({.role = Role::region_end, .next = {current_}});
    capture.regions[open_.back()].end = last();
    open_.pop_back();
    current_ = {last(), 0};
  }

  // A call of so many operations, each of which saves its input.
  void call(const std::string& name, int operations, std::int64_t bytes, std::int64_t flops,
            RegionOrigin origin = RegionOrigin::module) {
    enter(name, origin);
    while (operations-- > 0) operation(bytes, flops, saves_input);
    leave();
  }

  Capture finished() {
    capture.outputs = {{.path = "output", .dtype = "float32", .edge = current_, .in_loss = true}};
    validate(capture, "model");
    return capture;
  }

  Capture capture;

 private:
  int last() const { return static_cast<int>(capture.nodes.size()) - 1; }
  int add_storage(std::int64_t bytes) {
    capture.storages.push_back({bytes});
    return static_cast<int>(capture.storages.size()) - 1;
  }

  GradEdge current_;
  int storage_ = 0;
  std::vector<int> open_;
};

// Ten calls or so.
class RandomModel {
 public:
  // What every operation saves, and what some do.
  RandomModel(unsigned seed, int always, int sometimes) : random_(seed), always_(always), sometimes_(sometimes) {
    while (calls_ < 7) fill(0, "m");
    model_.operation(below(90) * 8, 0, saves_input);
  }
  Capture capture() { return model_.finished(); }

 private:
  std::int64_t below(unsigned limit) { return random_() % limit; }

  void fill(int depth, const std::string& path) {
    for (std::int64_t parts = 1 + below(3); parts-- > 0;) {
      if (depth < 3 && calls_ < 9 && below(3) != 0) {
        bool again = below(4) == 0 && !last_name_.empty() && last_name_.rfind('.') == path.size();
        if (!again) last_name_ = path + "." + std::to_string(calls_++);
        std::string name = last_name_;
        model_.enter(name);
        fill(depth + 1, name);
        model_.leave();
        last_name_ = name;
      } else {
        model_.operation(below(90) * 8, below(50), always_ | (static_cast<int>(below(8)) & sometimes_));
      }
    }
  }

  std::mt19937 random_;
  int always_, sometimes_;
  Model model_;
  int calls_ = 0;
  std::string last_name_;
};

std::vector<std::string> names_of(const Capture& capture) {
  std::set<std::string> names;
  for (const Region& region : capture.regions) names.insert(region.name);
  return {names.begin(), names.end()};
}

bool is_antichain(const Capture& capture) {
  for (const Region& region : capture.regions)
    for (int around = region.parent; around != none; around = capture.regions[around].parent)
      if (region.kind != Kind::off && capture.regions[around].kind != Kind::off) return false;
  return true;
}

// All choices of calls of which none lies inside of another.
struct Choices {
  std::int64_t fixed;
  std::vector<Price> prices;

  explicit Choices(Capture capture) : fixed(fixed_memory(capture, {}, {}).sum()) {
    std::vector<std::string> names = names_of(capture);
    for (unsigned bits = 0; bits < 1u << names.size(); ++bits) {
      for (Region& region : capture.regions) {
        auto at = std::find(names.begin(), names.end(), region.name) - names.begin();
        region.kind = bits >> at & 1 ? Kind::non_reentrant : Kind::off;
      }
      if (is_antichain(capture)) prices.push_back(price(capture, Checkpointing::as_given));
    }
  }

  std::int64_t least() const {
    std::int64_t least = prices[0].peak();
    for (const Price& each : prices) least = std::min(least, each.peak());
    return fixed + least;
  }

  std::int64_t least_flops(std::int64_t budget) const {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const Price& each : prices)
      if (fixed + each.peak() <= budget) least = std::min(least, each.recompute_flops);
    return least;
  }

  // Too little, just enough, in between, nearly as much as without checkpoints, and that.
  std::vector<std::int64_t> budgets() const {
    std::int64_t most = fixed + prices[0].peak();
    return {least() - 1, least(), (least() + most) / 2, most - 1, most};
  }
};

}  // namespace

TEST_CASE("no choice of calls fits with less recomputation than the plan's") {
  int fitting = 0, checkpointing = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Capture capture = RandomModel(seed, saves_input, saves_mask).capture();
    Choices choices(capture);
    for (std::int64_t budget : choices.budgets()) {
      CAPTURE(budget);
      Planned planned = make_plan(capture, {}, {.budget = budget});
      CHECK(is_antichain(planned.capture));
      CHECK(planned.plan.needed == choices.fixed + price(planned.capture, Checkpointing::as_given).peak());
      CHECK(planned.plan.fits == (budget >= choices.least()));
      if (planned.plan.fits)
        CHECK(planned.plan.price.recompute_flops == choices.least_flops(budget));
      else
        CHECK(planned.plan.needed == choices.least());
      fitting += planned.plan.fits;
      checkpointing += !planned.plan.modules.empty();
    }
  }
  CHECK(fitting >= 200);
  CHECK(checkpointing >= 80);
}

// Where calls save their results, sums are not exact.
TEST_CASE("a plan that says that it fits does, whatever operations save") {
  int fitting = 0, best = 0, possible = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Capture capture = RandomModel(seed, 0, saves_input | saves_result | saves_mask).capture();
    Choices choices(capture);
    for (std::int64_t budget : choices.budgets()) {
      Planned planned = make_plan(capture, {}, {.budget = budget});
      CHECK(is_antichain(planned.capture));
      CHECK(planned.plan.needed == choices.fixed + price(planned.capture, Checkpointing::as_given).peak());
      CHECK(planned.plan.fits == (planned.plan.needed <= budget));
      possible += budget >= choices.least();
      fitting += planned.plan.fits;
      best += planned.plan.fits && planned.plan.price.recompute_flops == choices.least_flops(budget);
    }
  }
  CHECK(fitting > possible * 0.95);
  CHECK(best > fitting * 0.95);
}

TEST_CASE("what fits as it is gets no checkpoint, whatever the file has") {
  Model model;
  model.enter("a", RegionOrigin::marker);
  model.operation(800, 10, saves_input | saves_result | saves_mask);
  model.leave();
  Capture capture = model.finished();
  capture.regions[0].kind = Kind::reentrant;
  Plan plan = make_plan(capture, {}, {.budget = 1 << 20}).plan;
  CHECK(plan.fits);
  CHECK(plan.modules.empty());
  CHECK(plan.options == "--checkpoint '*=off'");
  CHECK(plan.needed == plan.needed_without);
  CHECK(plan.needed_as_given == fixed_memory(capture, {}, {}).sum() + price(capture, Checkpointing::reentrant).peak());
  CHECK(plan.needed_as_given != plan.needed);
}

TEST_CASE("all calls of a module are chosen together; a module that several modules call is left out") {
  Model model;
  for (const char* outer : {"a", "b"}) {
    model.enter(outer);
    model.call("shared", 2, 4000, 5);
    model.operation(4000, 5, saves_input);
    model.leave();
  }
  for (int call = 0; call < 2; ++call) model.call("twice", 3, 8000, 3);
  Capture capture = model.finished();
  std::int64_t without = make_plan(capture, {}, {.budget = 0}).plan.needed_without;
  Planned planned = make_plan(capture, {}, {.budget = without - 16000});
  CHECK(planned.plan.fits);
  CHECK(planned.plan.modules == std::vector<std::string>{"twice"});
  CHECK(planned.capture.regions[4].kind == Kind::non_reentrant);
  CHECK(planned.capture.regions[5].kind == Kind::non_reentrant);
  CHECK(make_plan(capture, {}, {.budget = 0}).plan.modules == std::vector<std::string>{"a", "b", "twice"});
}

TEST_CASE("a module that changes its argument is not checkpointed, but its caller may be") {
  Model model;
  for (std::string number : {"1", "2"}) {
    model.enter("outer" + number);
    model.operation(80, 1, saves_input);
    model.call("inner" + number, 3, 8000, 1, RegionOrigin::changing_module);
    model.leave();
  }
  CHECK(make_plan(model.finished(), {}, {.budget = 0}).plan.modules == std::vector<std::string>{"outer1", "outer2"});
  Model alone;
  for (const char* name : {"inner1", "inner2"}) alone.call(name, 3, 8000, 1, RegionOrigin::changing_module);
  CHECK(make_plan(alone.finished(), {}, {.budget = 0}).plan.modules.empty());
}

TEST_CASE("a name means the file's region if there is one") {
  Model model;
  model.enter("layer[0]");
  model.call("layer[0]", 3, 8000, 1, RegionOrigin::marker);
  model.operation(16000, 3, saves_input);
  model.leave();
  model.call("last", 3, 8000, 1);
  Planned planned = make_plan(model.finished(), {}, {.budget = 0});
  CHECK(planned.plan.modules == std::vector<std::string>{"layer[0]", "last"});
  CHECK(planned.capture.regions[0].kind == Kind::off);
  CHECK(planned.capture.regions[1].kind == Kind::non_reentrant);
  CHECK(planned.plan.options ==
        "--checkpoint '*=off' --checkpoint 'layer\\[0\\]=non-reentrant' --checkpoint last=non-reentrant");
}

TEST_CASE("a plan counts the requested batch and optimizer") {
  Model model;
  model.enter("a");
  model.operation(800, 10, saves_input | saves_result | saves_mask);
  model.leave();
  Capture capture = model.finished();
  Plan plan = make_plan(capture, {}, {.budget = 1 << 20, .batch = 8, .optimizer = Optimizer::adam}).plan;
  std::int64_t fixed = 3 * 16 + 2 * 16 + 4;
  CHECK(plan.fixed.sum() == fixed);
  CHECK(plan.needed_without == fixed + 4 * price(capture, Checkpointing::off).peak());
  REQUIRE(plan.alternatives.size() == 2);
  CHECK(plan.alternatives[0].needed == fixed + 2 * price(capture, Checkpointing::off).peak());
  auto caveat = [&](const Setup& setup) { return make_plan(capture, setup, {.budget = 1 << 20}).plan.alternatives[0].caveat; };
  CHECK(caveat({}).starts_with("assumes memory proportional to the batch"));
  CHECK(caveat({.static_graph = true}).starts_with("fails an internal check of DDP with static_graph=True"));
  capture.nodes.back().op = "NativeBatchNormBackward0";
  CHECK(caveat({}).starts_with("batch normalisation sees half the batch"));
  CHECK(make_plan(capture, {}, {.budget = 1 << 20, .batch = 1}).plan.alternatives.size() == 1);
  capture.inputs.clear();
  CHECK_THROWS_WITH(make_plan(capture, {}, {.budget = 1, .batch = 8}), tests::contains("no batch size in common"));
}

TEST_CASE("there must be something to choose from") {
  Model model;
  model.operation(8, 1, 1);
  CHECK_THROWS_WITH(make_plan(model.finished(), {}, {.budget = 1}),
                    "m.pt: has no module calls or regions to choose from: use a model file, or a capture "
                    "that has regions");
}

TEST_CASE("checkpoints that cause a DDP conflict are withdrawn") {
  const Plan found{.modules = {"a"}, .fits = true, .needed = 7, .needed_without = 9, .options = "--checkpoint a"};
  const Verdict clean, silent{.untrained = {3}}, error{.outcome = Outcome::other};
  auto is_offered = [&](const Verdict& with, const Verdict& without) {
    Plan plan = found;
    judge(plan, with, without);
    CHECK(plan.verdict.outcome == with.outcome);
    CHECK(plan.needed == 7);
    CHECK(plan.fits == !plan.modules.empty());
    CHECK(plan.options.empty() == plan.modules.empty());
    return plan.fits;
  };
  CHECK(is_offered(clean, clean));
  CHECK(is_offered(clean, error));
  CHECK(is_offered(silent, silent));
  CHECK(is_offered(error, error));
  CHECK(is_offered(silent, error));
  CHECK_FALSE(is_offered(error, clean));
  CHECK_FALSE(is_offered(error, silent));
  CHECK_FALSE(is_offered(silent, clean));
}

TEST_CASE("a module named like a preset is planned as a module") {
  Model model;
  model.call("timm", 3, 100, 1);
  model.call("b", 3, 100, 1);
  model.operation(100, 1, saves_input);
  Plan plan = make_plan(model.finished(), {}, {.budget = 500}).plan;
  CHECK(plan.modules == std::vector<std::string>{"timm", "b"});
  CHECK(plan.options == "--checkpoint '[t]imm=non-reentrant' --checkpoint b=non-reentrant");
}
