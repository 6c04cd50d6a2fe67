#include "analyzer/report/prose.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gradscan {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // bytes; 0: not UTF-8
};

CodePoint decode(std::string_view text) {
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
  if (length == 0 || text.size() < length) return {};
  char32_t value = lead & (0xFFu >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(at) & 0x3F);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};  // anything lower is an overlong encoding
  bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < least[length] || value > 0x10FFFF || surrogate ? CodePoint{} : CodePoint{value, length};
}

bool between(char32_t value, char32_t low, char32_t high) {
  return value >= low && value <= high;
}

// Controls (C0, delete, C1), zero-width characters, line separators, direction marks, the byte order mark.
bool is_harmful(char32_t value) {
  return value < 0x20 || between(value, 0x7F, 0x9F) || value == 0x61C || between(value, 0x200B, 0x200F) ||
         between(value, 0x2028, 0x202E) || between(value, 0x2060, 0x206F) || value == 0xFEFF ||
         between(value, 0xE0000, 0xE007F);
}

std::string format(const char* pattern, unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

std::string escape(char32_t value) {
  if (value == '\n') return "\\n";
  if (value == '\t') return "\\t";
  if (value == '\r') return "\\r";
  return value < 0x80 ? format("\\x%02x", value) : value < 0x10000 ? format("\\u%04x", value) : format("\\U%08x", value);
}

// With one digit behind the point below 10.
std::string scaled(double number, const std::vector<std::string>& units, double step) {
  std::size_t unit = 0;
  for (; number >= step && unit + 1 < units.size(); ++unit) number /= step;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit > 0 && number < 10 ? "%.1f" : "%.0f", number);
  return std::string(text.data()) + " " + units[unit];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    CodePoint point = decode(text);
    if (point.length == 0) {
      result += format("\\x%02x", static_cast<unsigned char>(text[0]));
    } else if (is_harmful(point.value)) {
      result += escape(point.value);
    } else {
      result += text.substr(0, point.length);
    }
    text.remove_prefix(std::max<std::size_t>(point.length, 1));
  }
  return result;
}

std::size_t columns(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

std::string count(std::size_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string times(int number) {
  if (number == 1) return "once";
  return number == 2 ? "twice" : std::to_string(number) + " times";
}

std::string enumerate(const std::vector<std::string>& names, std::size_t most) {
  std::size_t shown = names.size() <= most ? names.size() : most;
  std::size_t left = names.size() - shown;
  std::string text;
  for (std::size_t at = 0; at < shown; ++at) {
    bool last = left == 0 && at + 1 == shown;
    text += (at == 0 ? "" : last ? " and " : ", ") + names[at];
  }
  return left == 0 ? text : text + (shown == 0 ? "" : " and ") + std::to_string(left) + " more";
}

std::string index_ranges(const std::vector<int>& ascending) {
  std::string text;
  for (std::size_t begin = 0, end; begin < ascending.size(); begin = end) {
    end = begin + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    text += (text.empty() ? "#" : ", #") + std::to_string(ascending[begin]);
    if (end - begin > 1) text += "-#" + std::to_string(ascending[end - 1]);
  }
  return text;
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

}  // namespace gradscan
