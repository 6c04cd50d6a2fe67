#include "analyzer/text/foreign_text.h"

#include <fmt/format.h>

#include <boost/locale/utf.hpp>

namespace gradscan {
namespace {

using Utf8 = boost::locale::utf::utf_traits<char>;
using CodePoint = boost::locale::utf::code_point;

bool between(CodePoint value, CodePoint low, CodePoint high) {
  return value >= low && value <= high;
}

// Everything except controls (C0, delete, C1), zero-width characters, line separators, direction marks, tags, the byte order
// mark, and Unicode's noncharacters, which XML does not allow.
bool is_text(CodePoint value) {
  bool acts = value < 0x20 || between(value, 0x7F, 0x9F) || value == 0x61C || between(value, 0x200B, 0x200F) ||
              between(value, 0x2028, 0x202E) || between(value, 0x2060, 0x206F) || value == 0xFEFF ||
              between(value, 0xE0000, 0xE007F);
  return !acts && (value & 0xFFFE) != 0xFFFE && !between(value, 0xFDD0, 0xFDEF);
}

std::string escape(CodePoint value) {
  if (value == '\n') return "\\n";
  if (value == '\t') return "\\t";
  if (value == '\r') return "\\r";
  return value < 0x80      ? fmt::format("\\x{:02x}", value)
         : value < 0x10000 ? fmt::format("\\u{:04x}", value)
                           : fmt::format("\\U{:08x}", value);
}

// Copies text; everything else goes through `character` or, for invalid bytes, through `byte`.
template <typename Character, typename Byte>
std::string cleaned(std::string_view text, Character character, Byte byte) {
  std::string result;
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    const char* begin = at;
    CodePoint value = Utf8::decode(at, end);
    if (!boost::locale::utf::is_valid_codepoint(value)) {
      result += byte(static_cast<unsigned char>(*begin));
      at = begin + 1;
    } else if (is_text(value)) {
      result.append(begin, at);
    } else {
      result += character(value);
    }
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  return cleaned(text, escape, [](unsigned char byte) { return fmt::format("\\x{:02x}", byte); });
}

std::string legible(std::string_view text) {
  auto replacement = [](unsigned) { return "\uFFFD"; };
  return cleaned(text, replacement, replacement);
}

}  // namespace gradscan
