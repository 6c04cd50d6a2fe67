// What a report says about memory and work.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gradscan/capture.h"
#include "gradscan/report.h"

namespace gradscan {

// Fills the prices of the report, its fixes and its setups; `report` is about these captures. Prices are those of the first
// capture. Throws Error (usage) if a batch is requested and the model's inputs have no batch size in common.
void add_prices(Report& report, std::span<const Capture> in_turn, const PriceOptions& options);

// The requested batch size divided by the captured one; 1 if none is requested. Throws likewise.
double batch_factor(const Capture& capture, std::optional<std::int64_t> batch);

}  // namespace gradscan
