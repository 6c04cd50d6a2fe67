#include "analyzer/report/price_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/graph/edits.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

// The kinds of checkpointing that the table has, in its order.
std::vector<Checkpointing> kinds_in_table(const Report& report) {
  std::vector<Checkpointing> kinds;
  for (const Verdict& verdict : report.verdicts)
    if (std::count(kinds.begin(), kinds.end(), verdict.setup.checkpointing) == 0) kinds.push_back(verdict.setup.checkpointing);
  return kinds;
}

}  // namespace

double batch_factor(const Capture& capture, std::optional<std::int64_t> batch) {
  if (!batch) return 1;
  std::optional<std::int64_t> captured = batch_size(capture);
  if (!captured || *captured == 0)
    throw Error(Failure::usage, fmt::format("--batch {}", *batch),
                fmt::format("the inputs of {} have no batch size in common", capture.model),
                "leave it out: prices are then for the captured inputs");
  return static_cast<double>(*batch) / static_cast<double>(*captured);
}

void add_prices(Report& report, std::span<const Capture> in_turn, const PriceOptions& options) {
  double factor = batch_factor(in_turn.front(), options.batch);
  auto priced = [&](std::span<const Capture> captures, Checkpointing checkpointing) {
    return scaled(price(captures.front(), checkpointing), factor);
  };
  for (Checkpointing checkpointing : kinds_in_table(report))
    report.prices.push_back({checkpointing, priced(in_turn, checkpointing)});
  for (Fix& fix : report.fixes)
    fix.price = fix.edits.empty() ? priced(in_turn, fix.setup.checkpointing)
                                  : priced(edited(in_turn, fix.edits), fix.setup.checkpointing);
  report.price = priced(in_turn, report.setup.checkpointing);
  report.fixed = fixed_memory(in_turn.front(), report.setup, options.optimizer);
  for (Report& setup : report.setups) add_prices(setup, in_turn, options);
}

}  // namespace gradscan
