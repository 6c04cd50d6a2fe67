// How paths in a capture map to paths in a reviewer's checkout.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradscan {

// A finding points at the line that calls checkpoint. Its path is the one in the capture, with the first matching prefix in
// `path_map` replaced.
struct SourcePathOptions {
  std::vector<std::pair<std::string, std::string>> path_map{};  // from a folder, to another
};

}  // namespace gradscan
