#include "dot/layout/labels.h"

#include <array>
#include <cstdint>
#include <sstream>

#include "analyzer/text/width.h"

namespace gradscan {
namespace {

constexpr std::string_view zero_width_space = "\u200B";

// Widths of the characters from ' ' to '~', in hundredths of the font size.
constexpr std::array<unsigned char, 95> plain_widths{
    32, 41, 46, 84, 64, 96, 78, 28, 40,  40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 56, 102, 69, 69, 73, 78, 67, 62, 78, 76, 30, 50, 67, 56, 87, 75, 79,
    67, 79, 73, 67, 62, 74, 69, 99, 69,  67, 69, 40, 34, 40, 84, 56, 50, 62, 64, 55, 64, 62, 36, 64,
    64, 28, 28, 58, 28, 98, 64, 62, 64,  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84};
constexpr std::array<unsigned char, 95> bold_widths{
    35, 46, 53, 84, 70, 101, 88, 31,  46,  46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70,  70, 70,
    70, 70, 40, 40, 84, 84,  84, 62,  100, 78, 77, 74, 84, 69, 69, 83, 84, 38, 56, 78, 64, 100, 84, 86,
    74, 86, 78, 73, 69, 82,  78, 111, 78,  73, 73, 46, 37, 46, 84, 56, 50, 68, 72, 60, 72, 68,  44, 72,
    72, 35, 35, 67, 35, 105, 72, 69,  72,  72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72,  84};

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The code point at `at`; advances `at` past it.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  std::uint32_t character = first < 0x80 ? first : first < 0xE0 ? first & 0x1F : first < 0xF0 ? first & 0x0F : first & 0x07;
  for (; at < text.size() && continues(text[at]); ++at)
    character = character << 6 | (static_cast<unsigned char>(text[at]) & 0x3F);
  return character;
}

// From Hangul on, scripts and symbols are about as wide as they are high, except for general punctuation and arrows.
bool is_wide(std::uint32_t character) {
  return (character >= 0x1100 && character < 0x1200) || (character >= 0x2600 && character != 0xFFFD);
}

double character_width(std::uint32_t character, bool bold) {
  if (character >= ' ' && character <= '~') return (bold ? bold_widths : plain_widths)[character - ' '] / 100.0;
  return is_wide(character) ? 1.3 : 1.05;
}

// Elides a word to fit on a line.
std::string fitted(std::string word, double width, double points, bool bold) {
  for (std::size_t most = columns(word); most > 1 && text_width(word, points, bold) > width; --most) word = elided(word, most);
  return word;
}

std::string replaced(std::string_view text, std::string (*replacement)(char)) {
  std::string result;
  for (const char byte : text) result += replacement(byte);
  return result;
}

std::string markup(char byte) {
  switch (byte) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    default:
      return std::string(1, byte);
  }
}

// Neither a backslash nor an ampersand can be escaped for all readers: an HTML-like label replaces \N by the node's name
// whatever precedes it, and some versions of Graphviz' SVG writer take &lt; in text for markup. A zero-width space after either
// character keeps it literal.
std::string label_markup(char byte) {
  return markup(byte) + (byte == '&' || byte == '\\' ? std::string(zero_width_space) : "");
}

}  // namespace

std::vector<std::string> wrap(const std::string& text, double width, double points, bool bold) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    word = fitted(word, width, points, bold);
    if (!lines.empty() && text_width(lines.back() + " " + word, points, bold) <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

double text_width(std::string_view text, double points, bool bold) {
  double width = 0;
  for (std::size_t at = 0; at < text.size();) width += character_width(next_character(text, at), bold);
  return width * points;
}

std::string html(std::string_view text) {
  return replaced(text, label_markup);
}

std::string xml(std::string_view text) {
  return replaced(text, markup);
}

}  // namespace gradscan
