#include "analyzer/json/json.h"

namespace gradscan::forms {
namespace {

std::string in_bounds(std::string words) {
  constexpr std::size_t most = 300;
  words.erase(0, words.find_first_not_of(".: "));
  if (words.size() <= most) return words;
  words.resize(most);
  return words.append("...");
}

}  // namespace

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string in_words(const Malformed& error) {
  return in_bounds(error.what());
}

// nlohmann's messages begin with "[json.exception.parse_error.101] ".
std::string in_words(const Json::exception& error) {
  std::string words = error.what();
  std::size_t bracket = words.find("] ");
  return in_bounds(bracket == std::string::npos ? words : words.substr(bracket + 2));
}

}  // namespace gradscan::forms
