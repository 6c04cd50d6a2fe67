// Finds the row of a setup in the table of setups.
#pragma once

#include <cstddef>
#include <optional>

#include "gradscan/report.h"

namespace gradscan {

// Whether all regions of the report are of that kind. A report without regions counts as off.
bool is_kind_of_all(const Report& report, Checkpointing checkpointing);

// Position in report.verdicts of the row with these flags and this kind of regions; as_given also finds the kind that all
// regions have. Empty if there is none: the file mixes kinds and has no row for that, or the report has no rows.
std::optional<std::size_t> row_of(const Report& report, const Setup& setup);

// The row of the requested setup.
std::optional<std::size_t> asked_row(const Report& report);

}  // namespace gradscan
