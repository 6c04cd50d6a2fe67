// Reading values out of JSON that anybody may have written: a member that is missing keeps its default, one of another type or
// out of range is Malformed, which says where: "parameters[3].shape[0] is no whole number".
//
// Nothing here copies or writes a foreign value as a whole: its nesting may be deeper than any stack.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan::reading {

using Json = nlohmann::ordered_json;

class Malformed : public std::runtime_error {
 public:
  explicit Malformed(const std::string& what) : std::runtime_error(what) {}
};

inline void read(const Json& json, std::string& value) {
  if (!json.is_string()) throw Malformed(" is no text");
  value = json.get_ref<const std::string&>();
}

inline void read(const Json& json, bool& value) {
  if (!json.is_boolean()) throw Malformed(" is neither true nor false");
  value = json.get<bool>();
}

inline void read(const Json& json, double& value) {
  if (!json.is_number() || !std::isfinite(json.get<double>())) throw Malformed(" is no number");
  value = json.get<double>();
}

inline void read(const Json& json, std::int64_t& value) {
  bool fits = json.is_number_integer() &&
              !(json.is_number_unsigned() && json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max());
  if (!fits) throw Malformed(" is no whole number");
  value = json.get<std::int64_t>();
}

inline void read(const Json& json, int& value) {
  std::int64_t number = 0;
  read(json, number);
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max())
    throw Malformed(" is too large a number");
  value = static_cast<int>(number);
}

template <typename T>
void read(const Json& json, std::optional<T>& value) {
  if (json.is_null()) return;
  read(json, value.emplace());
}

// Overloads for types of another namespace are found by their argument.
template <typename T>
void read(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) throw Malformed(" is no list");
  values.reserve(json.size());
  for (const Json& element : json) try {
      read(element, values.emplace_back());
    } catch (const Malformed& error) {
      throw Malformed("[" + std::to_string(values.size() - 1) + "]" + error.what());
    }
}

// A number, or null for none.
struct OrNone {
  int& value;
};

inline void read(const Json& json, OrNone number) {
  number.value = none;
  if (!json.is_null()) read(json, number.value);
}

// One of the words that to_string() has for the enumerators.
template <typename Enum>
struct OneOf {
  Enum& value;
  std::span<const Enum> all;
};

template <typename Enum>
void read(const Json& json, OneOf<Enum> word) {
  if (!json.is_string()) throw Malformed(" is no text");
  for (Enum each : word.all)
    if (to_string(each) == json.get_ref<const std::string&>()) {
      word.value = each;
      return;
    }
  throw Malformed(" is a word that this gradscan does not know");
}

template <typename T>
void member(const Json& object, const char* key, T&& value) {
  if (!object.is_object()) throw Malformed(" is no object");
  if (auto found = object.find(key); found != object.end()) try {
      read(*found, value);
    } catch (const Malformed& error) {
      throw Malformed("." + std::string(key) + error.what());
    }
}

}  // namespace gradscan::reading
