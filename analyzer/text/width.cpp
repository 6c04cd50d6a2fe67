#include "analyzer/text/width.h"

#include <utf8proc.h>

#include <vector>

namespace gradscan {
namespace {

struct Character {
  std::size_t begin = 0, width = 0;  // the byte at which it begins; in columns
};

std::vector<Character> characters(std::string_view text) {
  std::vector<Character> result;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
    const utf8proc_ssize_t length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    const std::size_t width = length < 0 ? 1 : static_cast<std::size_t>(utf8proc_charwidth(code));
    result.push_back({at, width});
    at += length < 0 ? 1 : static_cast<std::size_t>(length);
  }
  return result;
}

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t width = 0;
  for (const Character& character : characters(text)) width += character.width;
  return width;
}

std::string elided(std::string_view text, std::size_t most) {
  if (columns(text) <= most) return std::string(text);
  if (most == 0) return "";
  const std::vector<Character> all = characters(text);
  std::size_t head = (most - 1) / 2, tail = most - 1 - head;
  std::size_t first_left_out = 0, first_of_tail = all.size();
  while (all[first_left_out].width <= head) head -= all[first_left_out++].width;
  while (tail > 0 && all[first_of_tail - 1].width <= tail) tail -= all[--first_of_tail].width;
  const std::size_t end = first_of_tail == all.size() ? text.size() : all[first_of_tail].begin;
  return std::string(text.substr(0, all[first_left_out].begin)).append("…").append(text.substr(end));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t taken = columns(text);
  return text.append(width > taken ? width - taken : 0, ' ');
}

}  // namespace gradscan
