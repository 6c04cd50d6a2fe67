// Where findings belong in the source code under review.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradscan {

// A finding's place is the line that calls checkpoint. Paths are written as in the capture, except that the first pair in
// `path_map` whose first member is a prefix of the path replaces that prefix by its second member.
struct PlaceOptions {
  std::vector<std::pair<std::string, std::string>> path_map{};
};

}  // namespace gradscan
