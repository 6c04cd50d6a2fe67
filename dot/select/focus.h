// What a reader wants the picture to be drawn around.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

struct Focus {
  std::string name;             // as the report has it: "layer4.2.bn3.weight (#157)"; empty: there is no focus
  std::vector<int> parameters;  // DDP indices, ascending
  std::vector<int> regions;     // ascending; those of the same name are drawn together
};

// A parameter by name, alias or DDP index, or else regions by name ("l2") or by name and call ("l2, call 2"). Throws Error
// (usage), naming near matches.
Focus find_focus(const Report& report, std::string_view wanted);

}  // namespace gradscan
