// The part of a page about changes: fixes for the requested setup with caveats and price, changes that do not help, and the
// memory and work of each kind of checkpointing. Unknown figures are left out.
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"
#include "html/anchors.h"
#include "html/views.h"

namespace gradscan::page {

// Empty if nothing is in conflict.
std::string fixes(const Report& report, const std::vector<View>& views);
std::string changes_without_effect(const Report& report);

// Empty if none of it is known.
std::string memory_and_work(const Report& report);

}  // namespace gradscan::page
