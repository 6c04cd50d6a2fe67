#include "dot/labels.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "analyzer/foreign_text.h"

namespace gradscan {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::string_view zero_width_space = "\u200B";

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
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

std::string elide(const std::string& text, int most) {
  const int all = static_cast<int>(columns(text));
  if (all <= most) return text;
  const int head = (most - 1) / 2, tail = most - 1 - head;
  return text.substr(0, position(text, head)) + std::string(ellipsis) + text.substr(position(text, all - tail));
}

std::vector<std::string> wrap(const std::string& text, int most) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    word = elide(word, most);
    if (!lines.empty() && columns(lines.back()) + 1 + columns(word) <= static_cast<std::size_t>(most)) {
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
  return width * points * (bold ? 1.22 : 1);
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
