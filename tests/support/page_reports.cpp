#include "tests/support/page_reports.h"

#include <utility>

#include "tests/support/picture_reports.h"

namespace gradscan::tests {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

Report in_setup(const Setup& setup) {
  const bool conflict = setup.checkpointing == Checkpointing::reentrant && setup.find_unused_parameters;
  Report report = conflict ? resnet50() : resnet50_non_reentrant();
  report.setup = report.verdict.setup = setup;
  report.fixes.clear();
  return report;
}

std::vector<Setup> nine_setups() {
  std::vector<Setup> setups;
  for (const Checkpointing kind : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off})
    for (const auto& [unused, fixed] : {std::pair(false, false), {true, false}, {false, true}})
      setups.push_back({.checkpointing = kind, .find_unused_parameters = unused, .static_graph = fixed});
  return setups;
}

void add_prices(Report& report) {
  const Price with{.outside = 60 * mebibyte,
                   .largest = 20 * mebibyte,
                   .largest_region = 2,
                   .forward_flops = 8'000'000'000,
                   .backward_flops = 16'000'000'000,
                   .recompute_flops = 6'000'000'000};
  const Price without{.outside = 147 * mebibyte, .forward_flops = 8'000'000'000, .backward_flops = 16'000'000'000};
  report.price = with;
  report.prices = {{Checkpointing::reentrant, with}, {Checkpointing::non_reentrant, with}, {Checkpointing::off, without}};
  report.fixed = {.parameters = 98 * mebibyte, .gradients = 98 * mebibyte, .buckets = 98 * mebibyte, .optimizer = {}};
  for (Fix& fix : report.fixes) fix.price = without;
}

}  // namespace

Report resnet50_with_verdicts() {
  Report report = resnet50();
  for (const Setup& setup : nine_setups()) report.verdicts.push_back(in_setup(setup).verdict);
  report.setup.checkpointing = report.verdict.setup.checkpointing = Checkpointing::as_given;
  report.fixes[0].setup.static_graph = true;
  report.fixes[0].caveats = {"only if every iteration runs the same graph"};
  report.no_help = {{"broadcast_buffers=False", "Buffers have no gradients."}};
  report.notes = {"The tracer warned of a loop."};
  add_prices(report);
  return report;
}

Report resnet50_in_every_setup() {
  Report report = resnet50_with_verdicts();
  for (const Setup& setup : nine_setups()) report.setups.push_back(in_setup(setup));
  return report;
}

Report large(int number) {
  Report report = resnet50();
  report.model = "large.pt";
  const ParameterReport pattern = report.parameters.at(10);
  report.parameters.clear();
  std::vector<int> conflict;
  for (int index = 0; index < number; ++index) {
    report.parameters.push_back(pattern);
    report.parameters.back().index = index;
    report.parameters.back().name = "encoder.layers." + std::to_string(index / 12) + ".weight" + std::to_string(index % 12);
    if (index < number / 2) conflict.push_back(index);
  }
  report.verdict.parameters = {conflict.back()};
  report.findings.at(0).groups.at(0).parameters = conflict;
  return report;
}

Survey only(const Report& report) {
  return {{{.path = report.model, .report = report, .exit_code = has_conflict(report) ? 1 : 0}}};
}

Survey several_files() {
  return {{{.path = "models/clean.pt", .report = resnet50_non_reentrant()},
           {.path = "models/gone.pt", .error = "models/gone.pt: no such file: check the path", .exit_code = 3},
           {.path = "models/tied.pt", .report = not_averaged(), .exit_code = 1},
           {.path = "models/resnet50.pt", .report = resnet50_with_verdicts(), .exit_code = 1}}};
}

}  // namespace gradscan::tests
