#include "analyzer/text/near_matches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace gradscan {
namespace {

constexpr std::size_t compared_length = 64, largest_distance = 8;  // characters

// Cuts off what both names have in common at either end, which is most of a module path.
void strip_common_ends(std::string_view& a, std::string_view& b) {
  auto front = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  a.remove_prefix(front), b.remove_prefix(front);
  auto back = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
  a.remove_suffix(back), b.remove_suffix(back);
}

// The Levenshtein distance, or any number above `limit` if it is above that.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  strip_common_ends(a, b);
  a = a.substr(0, compared_length), b = b.substr(0, compared_length);
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
  }
  return row.back();
}

}  // namespace

std::vector<std::string> near_matches(std::string_view wanted, const std::vector<std::string>& candidates, std::size_t count) {
  std::vector<std::pair<std::size_t, const std::string*>> near;
  for (const std::string& candidate : candidates) {
    std::size_t limit = std::clamp<std::size_t>(std::min(wanted.size(), candidate.size()) / 3, 2, largest_distance);
    bool contained = wanted.size() > 2 && candidate.find(wanted) != std::string::npos;
    std::size_t distance = edit_distance(wanted, candidate, limit);
    if (contained) distance = std::min<std::size_t>(distance, 2);
    if (distance <= limit && distance < std::max(wanted.size(), candidate.size())) near.emplace_back(distance, &candidate);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, name] : near) {
    if (names.size() == count) break;
    if (std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(*name);
  }
  return names;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& candidates) {
  std::vector<std::string> names = near_matches(wanted, candidates);
  if (names.empty()) return {};
  if (names.size() == 1) return fmt::format("did you mean {}?", names.front());
  return fmt::format("did you mean {} or {}?", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

}  // namespace gradscan
