// Near matches: what the user may have meant by a name that does not exist.
//
//     near_matches("layer4.conv1", names)      // {"layer4.0.conv1", "layer4.1.conv1", "layer4.2.conv1"}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// The closest candidates, nearest first, ties in their original order; at most `count`, without repetition, and none that
// differs in more than a third of its characters or in more than 8. A candidate that contains the whole name is near, however
// long it is. Linear in the number and length of the candidates.
std::vector<std::string> near_matches(std::string_view wanted, const std::vector<std::string>& candidates,
                                      std::size_t count = 3);

// "did you mean a, b or c?"; empty if nothing is near.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& candidates);

}  // namespace gradscan
