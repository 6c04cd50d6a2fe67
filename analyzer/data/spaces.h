// The lists of captures and reports that numbers are positions in.
#pragma once

#include "analyzer/json/lists.h"

namespace gradscan::spaces {

using forms::Space;

inline constexpr Space node{0, "node"}, parameter{1, "parameter"}, storage{2, "storage"}, region{3, "region"},
    capture{4, "capture"}, stage{5, "stage"};

}  // namespace gradscan::spaces
