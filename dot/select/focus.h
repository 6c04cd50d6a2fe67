// What the picture is drawn around.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

struct Focus {
  std::string name;             // as in the report: "layer4.2.bn3.weight (#157)"; empty: no focus
  std::vector<int> parameters;  // DDP indices, ascending
  std::vector<int> regions;     // ascending; all regions of the name
};

// A parameter by name, alias or DDP index, or else regions by name ("l2") or by name and call ("l2, call 2"). If there are
// none, throws Error (usage) that suggests near matches.
Focus find_focus(const Report& report, std::string_view wanted);

}  // namespace gradscan
