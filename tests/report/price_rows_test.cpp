#include "analyzer/report/price_rows.h"

#include "gradscan/error.h"
#include "gradscan/price.h"
#include "tests/support/catch.h"

using namespace gradscan;

namespace {

Verdict row(Checkpointing checkpointing, bool static_graph) {
  return {.setup = {.checkpointing = checkpointing, .static_graph = static_graph}};
}

// Of a model with reentrant regions, whose batch is 6.
struct Priced {
  Capture capture = read_capture("tests/price/Mlp.capture.json");
  Report report;

  explicit Priced(const PriceOptions& options) {
    report.verdicts = {row(Checkpointing::reentrant, false), row(Checkpointing::reentrant, true),
                       row(Checkpointing::off, false)};
    report.fixes = {{.change = "off", .setup = {.checkpointing = Checkpointing::off}},
                    {.change = "one region", .edits = {.checkpoint = {{"*_last", Kind::non_reentrant}}}}};
    for (Region& region : capture.regions) region.name = "relu_last";
    report.setups.resize(1);
    add_prices(report, {&capture, 1}, options);
  }
};

}  // namespace

TEST_CASE("a report prices its setup, each kind of checkpointing in its table once, and its fixes") {
  Priced priced({});
  const Report& report = priced.report;
  CHECK(report.price.peak() == price(priced.capture, Checkpointing::reentrant).peak());
  REQUIRE(report.prices.size() == 2);
  CHECK(report.prices[0].checkpointing == Checkpointing::reentrant);
  CHECK(report.prices[0].price.peak() == report.price.peak());
  CHECK(report.prices[1].checkpointing == Checkpointing::off);
  CHECK(report.prices[1].price.recompute_flops == 0);
  CHECK(report.fixes[0].price.peak() == report.prices[1].price.peak());
  CHECK(report.fixes[1].price.recompute_flops == price(priced.capture, Checkpointing::non_reentrant).recompute_flops);
  CHECK(report.setups[0].price.peak() == report.price.peak());
  CHECK(report.fixed.gradients == fixed_memory(priced.capture, {}, {}).gradients);
  CHECK_FALSE(report.fixed.optimizer);
}

TEST_CASE("a report's prices are for the batch asked for, its optimizer is the one named") {
  Priced captured({}), priced({.batch = 60, .optimizer = Optimizer::sgd_momentum});
  CHECK(priced.report.price.peak() == 10 * captured.report.price.peak());
  CHECK(priced.report.prices[1].price.forward_flops == 10 * captured.report.prices[1].price.forward_flops);
  CHECK(priced.report.fixes[0].price.peak() == 10 * captured.report.fixes[0].price.peak());
  CHECK(priced.report.fixed.optimizer == captured.report.fixed.gradients);
}

TEST_CASE("a batch is refused where the inputs do not tell theirs") {
  Capture capture;
  capture.model = "m.pt";
  capture.inputs = {{"x", "float32", {2}}, {"y", "float32", {3}}};
  Report report;
  CHECK_THROWS_WITH(add_prices(report, {&capture, 1}, {.batch = 8}),
                    "--batch 8: the inputs of m.pt have no batch size in common: leave it out: prices are "
                    "then for the captured inputs");
}
