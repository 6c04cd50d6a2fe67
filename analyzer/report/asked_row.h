// Which row of the table of setups a setup is.
#pragma once

#include <cstddef>
#include <optional>

#include "gradscan/report.h"

namespace gradscan {

// Whether all regions of the report are of that kind. Off is the kind of no regions.
bool is_kind_of_all(const Report& report, Checkpointing checkpointing);

// Position in report.verdicts of the row with these flags and regions of that kind, which may be the one that all have as given.
// Empty if no row is: the file mixes kinds and has no row for that, or the report has no rows.
std::optional<std::size_t> row_of(const Report& report, const Setup& setup);

// Of the setup asked.
std::optional<std::size_t> asked_row(const Report& report);

}  // namespace gradscan
