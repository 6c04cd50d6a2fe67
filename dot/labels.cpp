#include "dot/labels.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <sstream>

namespace gradscan {
namespace {

constexpr std::string_view replacement = "\uFFFD";
constexpr std::string_view ellipsis = "…";
constexpr std::string_view zero_width_space = "\u200B";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The first character of a text that is not empty; nothing if its bytes are no UTF-8 (too long forms and surrogates included).
std::optional<Character> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return Character{lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return std::nullopt;
  std::uint32_t code = lead & (0xFF >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!continues(text[i])) return std::nullopt;
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  const bool too_long = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (too_long || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
  return Character{code, bytes};
}

// Control characters, marks that turn the direction of text, line separators, and what XML does not allow.
bool is_text(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool direction = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
                         (code >= 0x2066 && code <= 0x2069);
  const bool no_character = (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
  return !control && !direction && !no_character;
}

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char byte) { return !continues(byte); }));
}

// The position of a text's n-th character.
std::size_t position(std::string_view text, int n) {
  std::size_t at = 0;
  for (; n > 0 && at < text.size(); --n) {
    do ++at;
    while (at < text.size() && continues(text[at]));
  }
  return at;
}

// Width of one character of DejaVu Sans as a part of the font's size.
double character_width(unsigned char byte) {
  if (std::string_view(" ,.;:'|!()[]/\\").find(byte) != std::string_view::npos) return 0.4;
  if (std::string_view("fijlrtI").find(byte) != std::string_view::npos) return 0.37;
  if (std::string_view("mwMW@%+=<>_#&").find(byte) != std::string_view::npos) return 0.86;
  if (std::isupper(byte)) return 0.72;
  return byte < 0x80 ? 0.63 : 0.9;
}

}  // namespace

std::string legible(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto character = decode(text);
    const std::size_t bytes = character ? character->bytes : 1;
    result += character && is_text(character->code) ? text.substr(0, bytes) : replacement;
    text.remove_prefix(bytes);
  }
  return result;
}

std::string elide(const std::string& text, int columns) {
  const int all = columns_of(text);
  if (all <= columns) return text;
  const int head = (columns - 1) / 2, tail = columns - 1 - head;
  return text.substr(0, position(text, head)) + std::string(ellipsis) + text.substr(position(text, all - tail));
}

std::vector<std::string> wrap(const std::string& text, int columns) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    word = elide(word, columns);
    if (!lines.empty() && columns_of(lines.back()) + 1 + columns_of(word) <= columns) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

double text_width(std::string_view text, double points, bool bold) {
  double width = 0;
  for (const char byte : text) width += continues(byte) ? 0 : character_width(static_cast<unsigned char>(byte));
  return width * points * (bold ? 1.12 : 1);
}

// Neither a backslash nor an ampersand can be escaped for all three readers: an HTML-like label replaces \N by the node's
// name whatever stands before it, and some versions of the SVG writer take &lt; in the text for markup. An invisible
// space behind either keeps them from being read as more than themselves.
std::string html(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    switch (byte) {
      case '&':
        result.append("&amp;").append(zero_width_space);
        break;
      case '\\':
        result.append("\\").append(zero_width_space);
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += byte;
    }
  }
  return result;
}

}  // namespace gradscan
