#include "analyzer/text/prose.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "analyzer/text/width.h"

namespace gradscan {
namespace {

// Rounded to three digits.
std::string scaled(double number, const std::vector<std::string>& units, double step) {
  std::size_t unit = 0;
  for (; number >= step && unit + 1 < units.size(); ++unit) number /= step;
  int decimals = unit == 0 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  std::string text = fmt::format("{:.{}f}", number, decimals);
  if (decimals > 0) text.erase(std::max(text.find_last_not_of("0.") + 1, text.find('.')));
  return fmt::format("{} {}", text, units[unit]);
}

}  // namespace

std::string count(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string times(int number) {
  if (number == 1) return "once";
  return number == 2 ? "twice" : fmt::format("{} times", number);
}

std::string enumerate(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= 1 && most > 0) return names.empty() ? "" : names.front();
  const std::size_t shown = names.size() <= most ? names.size() - 1 : most;
  const std::string last = names.size() <= most ? names.back() : fmt::format("{} more", names.size() - most);
  return shown == 0 ? last : fmt::format("{} and {}", fmt::join(names.begin(), names.begin() + shown, ", "), last);
}

std::string first_three(const std::vector<std::string>& names) {
  const std::size_t shown = std::min<std::size_t>(names.size(), 3);
  return fmt::format("{}{}", fmt::join(names.begin(), names.begin() + shown, ", "), names.size() > shown ? ", ..." : "");
}

std::string tensor_in_words(const std::string& dtype, const std::vector<std::int64_t>& shape) {
  return fmt::format("{}[{}]", dtype, fmt::join(shape, ", "));
}

std::string index_ranges(const std::vector<int>& ascending) {
  std::vector<std::string> ranges;
  for (std::size_t begin = 0, end; begin < ascending.size(); begin = end) {
    end = begin + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    const bool one = end - begin == 1;
    ranges.push_back(one ? fmt::format("#{}", ascending[begin]) : fmt::format("#{}-#{}", ascending[begin], ascending[end - 1]));
  }
  return fmt::format("{}", fmt::join(ranges, ", "));
}

std::string wrap(std::string_view text, int width, std::string_view first, std::string_view indent) {
  std::string result, line(first);
  bool empty = true;  // the line has no word yet
  while (!text.empty()) {
    std::size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!empty && columns(line) + 1 + columns(word) > static_cast<std::size_t>(std::max(width, 1))) {
      result += line + "\n";
      line = indent;
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  return result + line + "\n";
}

std::string bytes(std::int64_t number) {
  return scaled(static_cast<double>(number), {"B", "KiB", "MiB", "GiB", "TiB"}, 1024);
}

std::string flops(std::int64_t number) {
  return scaled(static_cast<double>(number), {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"}, 1000);
}

std::string percent(double share) {
  const long rounded = std::lround(100 * share);
  return rounded == 0 && share > 0 ? "under 1%" : fmt::format("{}%", rounded);
}

}  // namespace gradscan
