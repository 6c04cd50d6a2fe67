// JSON as the descriptions in this room see it (object.h): what is wrong with a document, and how one is written.
//
// Nothing here copies or writes a foreign value as a whole: its nesting may be deeper than any stack.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace gradscan::forms {

using Json = nlohmann::ordered_json;

// A value that is not what its description says. The words begin with the path to it: ".parameters[3].shape[0] is negative".
class Malformed : public std::runtime_error {
 public:
  explicit Malformed(const std::string& what) : std::runtime_error(what) {}
};

// Whatever is malformed in `action` is so below this key or position.
template <typename Action>
void inside(const char* key, Action action) try {
  action();
} catch (const Malformed& error) {
  throw Malformed("." + std::string(key) + error.what());
}

template <typename Action>
void inside(std::size_t position, Action action) try {
  action();
} catch (const Malformed& error) {
  throw Malformed("[" + std::to_string(position) + "]" + error.what());
}

// Bytes that are no UTF-8 become U+FFFD.
std::string one_line(const Json& json);
std::string text_of(const Json& json);  // indented, with a line feed at the end

// What is wrong, for the line of an error: without a leading separator and in bounds, for a parser quotes what it has read
// last.
std::string in_words(const Malformed& error);
std::string in_words(const Json::exception& error);

}  // namespace gradscan::forms
