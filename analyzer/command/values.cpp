#include "analyzer/command/values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

namespace gradscan {
Error wrong(const std::string& subject, const std::string& problem, const std::string& remedy) {
  return Error(Failure::usage, subject, problem, remedy);
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
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view rest(end, text.data() + text.size());
  bool is_number = error == std::errc{} && number > 0;
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (auto [name, bytes] : units)
    if (is_number && rest == name && number * bytes < 0x1p60) return std::llround(number * bytes);
  throw wrong(option + " " + text, "is not a size of memory", "write a number and its unit, for example 8GiB");
}

std::pair<std::string, std::string> replacement(const std::string& option, const std::string& text) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw wrong(option + " " + text, "is not OLD=NEW", "write both, with a =");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::string either(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t at = 0; at < words.size(); ++at) text += (at == 0 ? "" : at + 1 == words.size() ? " or " : ", ") + words[at];
  return text;
}

}  // namespace gradscan
