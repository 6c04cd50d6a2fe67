#include "analyzer/command/values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

namespace gradscan {
namespace {

// The number that the text begins with; `rest` is what stands behind it. False if it begins with none.
template <typename Number>
bool read_number(const std::string& text, Number& number, std::string_view& rest) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  rest = std::string_view(text).substr(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

}  // namespace

Error wrong(const std::string& subject, const std::string& problem, const std::string& remedy) {
  return Error(Failure::usage, subject, problem, remedy);
}

double positive_number(const std::string& option, const std::string& text, const std::string& unit) {
  double number = 0;
  std::string_view rest;
  if (!read_number(text, number, rest) || !rest.empty() || !(number > 0) || number > 1e9)
    throw wrong(option + " " + text, "is not a number above 0", "give it in " + unit);
  return number;
}

int whole_number(const std::string& option, const std::string& text, int least, int most) {
  int number = 0;
  std::string_view rest;
  if (!read_number(text, number, rest) || !rest.empty() || number < least || number > most)
    throw wrong(option + " " + text, "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most),
                "give another number");
  return number;
}

std::int64_t memory_size(const std::string& option, const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 9> units{{{"B", 1},
                                                                             {"KB", 1e3},
                                                                             {"MB", 1e6},
                                                                             {"GB", 1e9},
                                                                             {"TB", 1e12},
                                                                             {"KiB", 0x1p10},
                                                                             {"MiB", 0x1p20},
                                                                             {"GiB", 0x1p30},
                                                                             {"TiB", 0x1p40}}};
  double number = 0;
  std::string_view rest;
  bool is_number = read_number(text, number, rest) && number > 0;
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (auto [name, bytes] : units)
    if (is_number && rest == name && number * bytes < 0x1p60) return std::llround(number * bytes);
  throw wrong(option + " " + text, "is not a size of memory", "write a number and its unit, for example 8GiB");
}

std::string not_empty(const std::string& option, const std::string& text) {
  if (text.empty()) throw wrong(option, "its value is empty");
  return text;
}

std::pair<std::string, std::string> replacement(const std::string& option, const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw wrong(option + " " + text, "is not OLD=NEW", "write both, with a =");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Error not_among(const std::string& option, const std::string& text, const std::vector<std::string>& known) {
  std::string choices;
  for (std::size_t at = 0; at < known.size(); ++at)
    choices += (at == 0 ? "" : at + 1 == known.size() ? " or " : ", ") + known[at];
  return wrong(option + " " + text, "is not known", "use " + choices);
}

}  // namespace gradscan
