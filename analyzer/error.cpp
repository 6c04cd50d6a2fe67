#include "gradscan/error.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace gradscan {
namespace {

bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

// File names and model texts may hold anything. Control characters are shown, not sent to the terminal.
std::string visible(std::string_view text) {
  std::string line;
  for (char byte : text) {
    if (!is_control(byte)) {
      line += byte;
    } else if (byte == '\n') {
      line += "\\n";
    } else if (byte == '\t') {
      line += ' ';
    } else {
      std::array<char, 5> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(byte));
      line += escape.data();
    }
  }
  return line;
}

// A sentence: its line breaks are only layout, and become single spaces.
std::string unwrapped(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::string line;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    std::string_view piece = text.substr(0, end);
    piece = piece.substr(0, piece.find_last_not_of(blanks) + 1);
    if (piece.empty()) return line;
    if (!line.empty()) line += ' ';
    line += visible(piece);
    text.remove_prefix(end);
  }
}

std::string line_of(const std::string& subject, const std::string& problem, const std::string& remedy) {
  std::string line = visible(subject);
  for (const std::string& part : {unwrapped(problem), unwrapped(remedy)}) {
    if (part.empty()) continue;
    if (!line.empty()) line += ": ";
    line += part;
  }
  return line;
}

}  // namespace

Error::Error(Failure failure, const std::string& subject, const std::string& problem, const std::string& remedy)
    : std::runtime_error(line_of(subject, problem, remedy)), failure_(failure) {}

}  // namespace gradscan
