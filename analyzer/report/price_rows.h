// What a report says of memory and work.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gradscan/capture.h"
#include "gradscan/report.h"

namespace gradscan {

// Fills the prices of the report, of its fixes and of its setups; `report` is of these captures. A price is that of the first.
// Throws Error (usage) if a batch is asked for and the model's inputs do not tell theirs.
void add_prices(Report& report, std::span<const Capture> in_turn, const PriceOptions& options);

// How much larger the batch asked for is than the captured one; 1 if none is asked for. Throws likewise.
double batch_factor(const Capture& capture, std::optional<std::int64_t> batch);

}  // namespace gradscan
