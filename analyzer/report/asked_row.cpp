#include "analyzer/report/asked_row.h"

#include <algorithm>

namespace gradscan {
namespace {

bool is_row(const Report& report, const Setup& setup, const Setup& row) {
  return row.find_unused_parameters == setup.find_unused_parameters && row.static_graph == setup.static_graph &&
         (row.checkpointing == setup.checkpointing ||
          (setup.checkpointing == Checkpointing::as_given && is_kind_of_all(report, row.checkpointing)));
}

}  // namespace

bool is_kind_of_all(const Report& report, Checkpointing checkpointing) {
  if (report.regions.empty()) return checkpointing == Checkpointing::off;
  return checkpointing != Checkpointing::as_given &&
         std::all_of(report.regions.begin(), report.regions.end(),
                     [&](const RegionReport& region) { return kind_under(checkpointing, region.kind) == region.kind; });
}

std::optional<std::size_t> row_of(const Report& report, const Setup& setup) {
  const auto found = std::find_if(report.verdicts.begin(), report.verdicts.end(),
                                  [&](const Verdict& verdict) { return is_row(report, setup, verdict.setup); });
  if (found == report.verdicts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - report.verdicts.begin());
}

std::optional<std::size_t> asked_row(const Report& report) {
  return row_of(report, report.setup);
}

}  // namespace gradscan
