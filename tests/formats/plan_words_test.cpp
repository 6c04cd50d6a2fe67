#include <nlohmann/json.hpp>

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"

using namespace gradscan;

namespace {

Plan plan() {
  return {.modules = {"layer1.0", "layer1.1"},
          .fits = true,
          .budget = 400 << 20,
          .needed = 399 << 20,
          .needed_without = 455 << 20,
          .needed_as_given = 370 << 20,
          .price = {.outside = 90 << 20,
                    .largest = 16 << 20,
                    .largest_region = 2,
                    .forward_flops = 1000000,
                    .backward_flops = 2000000,
                    .recompute_flops = 510000},
          .fixed = {.parameters = 98 << 20, .gradients = 98 << 20, .buckets = 98 << 20},
          .verdict = {.setup = {.find_unused_parameters = true}},
          .options = "--checkpoint '*=off' --checkpoint 'layer1.[01]=non-reentrant'",
          .alternatives = {{"half the batch", 390 << 20, "proportional to the batch"}, {"autocast", 410 << 20, "of float32"}}};
}

}  // namespace

TEST_CASE("a plan in words says what to checkpoint, what it needs and what else helps") {
  tests::check_golden("plan.txt", to_text(plan()));
}

TEST_CASE("a plan that does not fit says so, and so does one that needs no checkpoint") {
  Plan failing = plan();
  failing.fits = false;
  CHECK_THAT(to_text(failing), Catch::Matchers::StartsWith("fits into 400 MiB as the file is"));
  failing.needed_as_given = failing.needed_without;
  failing.verdict.outcome = Outcome::unfinished_reduction;
  failing.verdict.message = "Expected to have finished reduction\nin the prior iteration";
  failing.fixed.optimizer = 10;
  tests::check_golden("plan_does_not_fit.txt", to_text(failing));
  Plan idle = plan();
  idle.modules.clear();
  idle.options.clear();
  idle.price = {.outside = 4};
  CHECK(to_text(idle).starts_with("fits into 400 MiB without checkpoints\n"));
  CHECK(to_text(idle).find("to check") == std::string::npos);
  CHECK(to_text(idle).find("recomputed      unknown") != std::string::npos);
}

TEST_CASE("a plan's JSON has all of its members") {
  auto json = nlohmann::json::parse(to_json(plan()));
  CHECK(json["schema"] == "gradscan-plan/1");
  CHECK(json["modules"] == plan().modules);
  CHECK(json["options"] == plan().options);
  CHECK(json["needed"] == plan().needed);
  CHECK(json["needed_without"] == plan().needed_without);
  CHECK(json["needed_as_given"] == plan().needed_as_given);
  CHECK(json["price"]["peak"] == plan().price.peak());
  CHECK(json["price"]["recompute_share"] == plan().price.recompute_share());
  CHECK(json["fixed"]["optimizer"].is_null());
  CHECK(json["verdict"]["outcome"] == "pass");
  CHECK(json["levers"][1]["needed"] == plan().alternatives[1].needed);
}

TEST_CASE("a plan that is withdrawn says why") {
  Plan refused = plan();
  refused.fits = false;
  refused.modules.clear();
  refused.options.clear();
  refused.verdict.outcome = Outcome::unfinished_reduction;
  std::string text = to_text(refused, {.width = 200});
  CHECK(text.starts_with(
      "no plan for 400 MiB: checkpoints that need 399 MiB cause a conflict that DDP does not have without them\n"));
  CHECK(text.find("with no module checkpointed") == std::string::npos);
}
