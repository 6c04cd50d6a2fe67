// Which row of the table of setups the setup asked is.
#pragma once

#include <cstddef>
#include <optional>

#include "gradscan/report.h"

namespace gradscan {

// Position in report.verdicts of the row with the flags asked, and the kind of regions that was asked or that all have. Empty
// if no row is: the file mixes kinds and has no row for that, or the report has no rows.
std::optional<std::size_t> asked_row(const Report& report);

}  // namespace gradscan
