// Where findings belong in the source code of a reviewer.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradscan {

// A finding's place is the line that calls checkpoint. Paths are written as the capture has them, after the first of
// `path_map` whose first is a prefix has been replaced by its second.
struct SourcePathOptions {
  std::vector<std::pair<std::string, std::string>> path_map{};
};

}  // namespace gradscan
