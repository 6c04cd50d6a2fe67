#include "analyzer/report/asked_row.h"

#include <algorithm>

namespace gradscan {
namespace {

// The row of regions that are left as the file has them.
bool is_as_given(const Report& report, Checkpointing row) {
  if (report.regions.empty()) return row == Checkpointing::off;
  return std::all_of(report.regions.begin(), report.regions.end(),
                     [&](const RegionReport& region) { return to_string(region.kind) == to_string(row); });
}

bool is_row(const Report& report, const Setup& setup, const Setup& row) {
  return row.find_unused_parameters == setup.find_unused_parameters && row.static_graph == setup.static_graph &&
         (row.checkpointing == setup.checkpointing ||
          (setup.checkpointing == Checkpointing::as_given && is_as_given(report, row.checkpointing)));
}

}  // namespace

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
