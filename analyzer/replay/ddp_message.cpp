#include "analyzer/replay/ddp_message.h"

#include <cctype>
#include <charconv>

namespace gradscan {
namespace {

// The rest of `text` after `mark`; empty if `mark` is not in it.
std::string_view behind(std::string_view text, std::string_view mark) {
  std::size_t at = text.find(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
}

// The numbers at the start of `text`, each preceded by a space.
std::vector<int> leading_numbers(std::string_view text) {
  std::vector<int> numbers;
  int number = 0;
  while (text.size() > 1 && text[0] == ' ') {
    auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    text.remove_prefix(end - text.data());
  }
  return numbers;
}

}  // namespace

std::vector<int> parameters_named_in(std::string_view message) {
  if (std::vector<int> one = leading_numbers(behind(message, "Parameter at index")); !one.empty()) return {one.front()};
  // "Parameters which did not receive grad for rank 0: names" comes before "Parameter indices which did not receive grad for
  // rank 0: 3 4"; only the latter are numbers.
  std::string_view rest = behind(message, "indices which did not receive grad");
  return leading_numbers(behind(rest, ":"));
}

}  // namespace gradscan
