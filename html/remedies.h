// The part of a page that is about changes: those that repair the setup asked, with what they take and cost; those that do not;
// and what each kind of checkpointing needs of memory and work. What is not known is left out.
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

// Empty if nothing of it is known.
std::string memory_and_work(const Report& report);

}  // namespace gradscan::page
