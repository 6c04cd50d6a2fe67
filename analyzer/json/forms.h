// A *form* says how a value stands in JSON. It has four members:
//
//     Json write(const Value&, const Lists&) const;
//     void read(const Json&, Value&) const;            // throws Malformed for another type or a word that it does not know
//     void check(const Value&, const Lists&) const;    // throws Malformed for a number out of its range
//     Json schema(Definitions&) const;                 // what read() takes, as JSON Schema
//
// Reading and checking are two steps because a position can be checked only when the list that it points into is there, which
// may stand further down. form_for<T>() is the form that a type has unless its description names another.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/json/json.h"
#include "analyzer/json/lists.h"

namespace gradscan::forms {

// The schemas of objects, by name: the "$defs" of a schema.
struct Definitions {
  Json by_name = Json::object();
};

inline Json or_null(Json schema) {
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}})}};
}

struct Text {
  Json write(const std::string& value, const Lists&) const { return value; }
  void read(const Json& json, std::string& value) const {
    if (!json.is_string()) throw Malformed(" is no text");
    value = json.get_ref<const std::string&>();
  }
  void check(const std::string&, const Lists&) const {}
  Json schema(Definitions&) const { return {{"type", "string"}}; }
};

struct Truth {
  Json write(bool value, const Lists&) const { return value; }
  template <typename Bool>
  void read(const Json& json, Bool&& value) const {
    if (!json.is_boolean()) throw Malformed(" is neither true nor false");
    value = json.get<bool>();
  }
  void check(bool, const Lists&) const {}
  Json schema(Definitions&) const { return {{"type", "boolean"}}; }
};

struct Real {
  Json write(double value, const Lists&) const { return value; }
  void read(const Json& json, double& value) const {
    if (!json.is_number() || !std::isfinite(json.get<double>())) throw Malformed(" is no number");
    value = json.get<double>();
  }
  void check(double, const Lists&) const {}
  Json schema(Definitions&) const { return {{"type", "number"}}; }
};

struct Whole {
  std::optional<int> least{};

  template <std::integral Integer>
  Json write(Integer value, const Lists&) const {
    return value;
  }
  template <std::integral Integer>
  void read(const Json& json, Integer& value) const {
    if (!json.is_number_integer()) throw Malformed(" is no whole number");
    bool fits = json.is_number_unsigned() ? std::in_range<Integer>(json.get<std::uint64_t>())
                                          : std::in_range<Integer>(json.get<std::int64_t>());
    if (!fits) throw Malformed(" is too large a number");
    value = json.get<Integer>();
  }
  template <std::integral Integer>
  void check(Integer value, const Lists&) const {
    if (!least || value >= *least) return;
    throw Malformed(*least == 0 ? std::string(" is negative") : " is less than " + std::to_string(*least));
  }
  Json schema(Definitions&) const {
    Json schema{{"type", "integer"}};
    if (least) schema["minimum"] = *least;
    return schema;
  }
};

inline constexpr Whole at_least(int least) {
  return {least};
}

// A position in a list of the document.
struct Index {
  Space space;

  Json write(int value, const Lists&) const { return value; }
  void read(const Json& json, int& value) const { Whole{}.read(json, value); }
  void check(int value, const Lists& lists) const { lists.check(space, value); }
  Json schema(Definitions& definitions) const { return at_least(0).schema(definitions); }
};

// One, or -1 for none.
struct IndexOrMinusOne {
  Space space;

  Json write(int value, const Lists&) const { return value; }
  void read(const Json& json, int& value) const { Whole{}.read(json, value); }
  void check(int value, const Lists& lists) const {
    if (value != -1) lists.check(space, value);
  }
  Json schema(Definitions& definitions) const { return at_least(-1).schema(definitions); }
};

// One, or null, which is -1 in C++.
struct IndexOrNull {
  Space space;

  Json write(int value, const Lists&) const { return value == -1 ? Json(nullptr) : Json(value); }
  void read(const Json& json, int& value) const {
    if (json.is_null()) return void(value = -1);
    at_least(0).read(json, value);
    at_least(0).check(value, {});
  }
  void check(int value, const Lists& lists) const {
    if (value != -1) lists.check(space, value);
  }
  Json schema(Definitions& definitions) const { return or_null(at_least(0).schema(definitions)); }
};

// One, with the name of the element beside it: [157, "layer4.2.bn3.weight"].
struct NamedIndex {
  Space space;

  Json write(int value, const Lists& lists) const { return Json::array({value, lists.name(space, value)}); }
  void read(const Json& json, int& value) const {
    if (!json.is_array() || json.empty()) throw Malformed(" is no " + std::string(space.one) + " with its name");
    Whole{}.read(json.front(), value);
  }
  void check(int value, const Lists& lists) const { lists.check(space, value); }
  Json schema(Definitions& definitions) const {
    return {{"type", "array"},
            {"prefixItems", Json::array({at_least(0).schema(definitions), Text{}.schema(definitions)})},
            {"minItems", 2},
            {"maxItems", 2}};
  }
};

// A text that is null where there is none, and empty in C++.
struct TextOrNull {
  Json write(const std::string& value, const Lists&) const { return value.empty() ? Json(nullptr) : Json(value); }
  void read(const Json& json, std::string& value) const {
    if (!json.is_null()) Text{}.read(json, value);
  }
  void check(const std::string&, const Lists&) const {}
  Json schema(Definitions& definitions) const { return or_null(Text{}.schema(definitions)); }
};

// What an enumerator is called in JSON. words_of(Enum) is an array of them, found by its argument.
template <typename Enum>
struct Word {
  Enum value;
  std::string_view word;
};

template <typename Enum>
constexpr std::string_view word_of(Enum value) {
  for (const Word<Enum>& each : words_of(value))
    if (each.value == value) return each.word;
  return "";
}

template <typename Enum>
struct OneOf {
  Json write(Enum value, const Lists&) const { return word_of(value); }
  void read(const Json& json, Enum& value) const {
    if (!json.is_string()) throw Malformed(" is no text");
    for (const Word<Enum>& each : words_of(Enum{}))
      if (each.word == json.get_ref<const std::string&>()) return void(value = each.value);
    throw Malformed(" is a word that this gradscan does not know");
  }
  void check(Enum, const Lists&) const {}
  Json schema(Definitions&) const {
    Json words = Json::array();
    for (const Word<Enum>& each : words_of(Enum{})) words.push_back(each.word);
    return {{"enum", std::move(words)}};
  }
};

template <typename Form>
struct Optional {
  Form form{};

  template <typename T>
  Json write(const std::optional<T>& value, const Lists& lists) const {
    return value ? form.write(*value, lists) : Json(nullptr);
  }
  template <typename T>
  void read(const Json& json, std::optional<T>& value) const {
    if (!json.is_null()) form.read(json, value.emplace());
  }
  template <typename T>
  void check(const std::optional<T>& value, const Lists& lists) const {
    if (value) form.check(*value, lists);
  }
  Json schema(Definitions& definitions) const { return or_null(form.schema(definitions)); }
};

template <typename Form>
struct List {
  Form element{};
  bool ascending = false;

  template <typename T>
  Json write(const std::vector<T>& values, const Lists& lists) const {
    Json json = Json::array();
    for (const T& value : values) json.push_back(element.write(value, lists));
    return json;
  }
  template <typename T>
  void read(const Json& json, std::vector<T>& values) const {
    if (!json.is_array()) throw Malformed(" is no list");
    values.reserve(json.size());
    for (const Json& each : json) inside(values.size(), [&] { element.read(each, values.emplace_back()); });
  }
  template <typename T>
  void check(const std::vector<T>& values, const Lists& lists) const {
    for (std::size_t at = 0; at < values.size(); ++at) inside(at, [&] { element.check(values[at], lists); });
    if constexpr (std::totally_ordered<T>)
      if (ascending && std::adjacent_find(values.begin(), values.end(), std::greater_equal()) != values.end())
        throw Malformed(" does not ascend");
  }
  Json schema(Definitions& definitions) const {
    Json schema{{"type", "array"}, {"items", element.schema(definitions)}};
    if (ascending) schema["uniqueItems"] = true;
    return schema;
  }
};

template <typename Form>
constexpr List<Form> list(Form element) {
  return {element};
}

template <typename Form>
constexpr List<Form> ascending(Form element) {
  return {element, true};
}

// A list whose positions are numbers elsewhere in the document. `name` is a member of the elements; nullptr: they have none
// that matters.
template <typename Form, typename Name>
struct Counted : List<Form> {
  Space space;
  Name name;

  template <typename T>
  void add_to(Lists& lists, const std::vector<T>& values) const {
    if constexpr (std::is_same_v<Name, std::nullptr_t>)
      lists.add(space, values.size());
    else
      lists.add(space, values.size(), [&values, member = name](int at) -> const std::string& { return values[at].*member; });
  }
};

}  // namespace gradscan::forms
