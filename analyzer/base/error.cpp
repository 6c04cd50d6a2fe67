#include "gradscan/error.h"

#include <algorithm>
#include <string_view>

#include "analyzer/text/foreign_text.h"

namespace gradscan {
namespace {

// Line breaks in a sentence are only layout: they become single spaces.
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
    line += printable(piece);
    text.remove_prefix(end);
  }
}

std::string line_of(const std::string& subject, const std::string& problem, const std::string& remedy) {
  std::string line = printable(subject);
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
