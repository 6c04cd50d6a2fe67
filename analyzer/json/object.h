// Data is described once. A function template says of each member of a struct what its key is, what it means and, where its
// type does not tell, its form (forms.h):
//
//     template <typename Fields>
//     void describe(Fields& fields, As<Storage>) {
//       fields.object("storage", "Memory that is saved for backward.");
//       fields.required("bytes", &Storage::bytes, "Its size.", at_least(0));
//       fields.optional("activation", &Storage::activation, "False for what is alive anyway.");
//     }
//
// Whatever is done with all members of a struct is a class that such a function is called with: Writer, Reader, Checker,
// Counter, SchemaMaker. Their order is that of the description, which is that in the file. A struct that stands in a document
// in another way than usual has a second description, As<Struct, Way>.
//
// What a member's default is, the struct itself says.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "analyzer/json/forms.h"
#include "analyzer/json/json.h"
#include "analyzer/json/lists.h"

namespace gradscan::forms {

template <typename T, typename Way = T>
struct As {};

template <typename T, typename Way>
struct Object;

template <typename T>
constexpr auto form_for() {
  if constexpr (std::is_same_v<T, std::string>)
    return Text{};
  else if constexpr (std::is_same_v<T, bool>)
    return Truth{};
  else if constexpr (std::is_integral_v<T>)
    return Whole{};
  else if constexpr (std::is_floating_point_v<T>)
    return Real{};
  else if constexpr (std::is_enum_v<T>)
    return OneOf<T>{};
  else if constexpr (requires(T value) { value.emplace_back(); })
    return list(form_for<typename T::value_type>());
  else if constexpr (requires(T value) { value.has_value(); })
    return Optional<decltype(form_for<typename T::value_type>())>{};
  else
    return Object<T, T>{};
}

// A list of described elements that numbers elsewhere are positions in.
template <typename T, typename Name = std::nullptr_t>
constexpr auto counted(Space space, Name name = {}) {
  return Counted<Object<T, T>, Name>{{}, space, name};
}

// A member of a member.
template <typename Outer, typename Inner>
constexpr auto through(Outer outer, Inner inner) {
  return [=](auto& object) -> auto& {
    return object.*outer.*inner;
  };
}

enum class Presence {
  required,  // refused without it
  always,    // always written; where it is missing, it has its default
  optional,  // likewise, and not written where it has it
};

struct Field {
  const char* key;
  const char* meaning;
  Presence presence;
};

// What descriptions call. Self::field(field, member, form, fallback) does the work, where `fallback` gives the default, and
// Self::derived() that of what is computed.
template <typename Self, typename T>
class Fields {
 public:
  template <typename Member>
  using Value = std::remove_cvref_t<std::invoke_result_t<Member, const T&>>;

  // An object inside of a document.
  void object(const char* /*name*/, const char* /*meaning*/) {}
  // A document: its "schema" says what it is.
  void document(const char* /*schema*/, const char* /*name*/, const char* /*meaning*/) {}

  template <typename Member>
  void required(const char* key, Member member, const char* meaning) {
    required(key, member, meaning, form_for<Value<Member>>());
  }
  template <typename Member, typename Form>
  void required(const char* key, Member member, const char* meaning, Form form) {
    self().field(Field{key, meaning, Presence::required}, member, form, default_of(member));
  }

  template <typename Member>
  void always(const char* key, Member member, const char* meaning) {
    always(key, member, meaning, form_for<Value<Member>>());
  }
  template <typename Member, typename Form>
  void always(const char* key, Member member, const char* meaning, Form form) {
    self().field(Field{key, meaning, Presence::always}, member, form, default_of(member));
  }

  template <typename Member>
  void optional(const char* key, Member member, const char* meaning) {
    optional(key, member, meaning, form_for<Value<Member>>());
  }
  template <typename Member, typename Form>
  void optional(const char* key, Member member, const char* meaning, Form form) {
    self().field(Field{key, meaning, Presence::optional}, member, form, default_of(member));
  }

  // Optional; its default is what another member is, which stands before.
  template <typename Member, typename Other>
  void follows(const char* key, Member member, Other other, const char* meaning) {
    self().field(Field{key, meaning, Presence::optional}, member, form_for<Value<Member>>(), other);
  }

  // Always written, worked out from other members by get(object), and read back by set(object, value), if there is one.
  template <typename Get>
  void computed(const char* key, Get get, const char* meaning) {
    computed(
        key, get, [](T&, const auto&) {}, meaning);
  }
  template <typename Get, typename Set>
  void computed(const char* key, Get get, Set set, const char* meaning) {
    self().derived(key, get, set, meaning, form_for<Value<Get>>());
  }
  // What computed() does; nothing, unless Self says otherwise.
  template <typename Get, typename Set, typename Form>
  void derived(const char* /*key*/, Get /*get*/, Set /*set*/, const char* /*meaning*/, const Form& /*form*/) {}

 private:
  Self& self() { return static_cast<Self&>(*this); }

  template <typename Member>
  static auto default_of(Member member) {
    return [member](const T&) -> const Value<Member>& {
      static const T defaults{};
      return std::invoke(member, defaults);
    };
  }
};

// A container's default is to be empty; a struct is never left out.
template <typename Value>
bool is_default(const Value& value, const Value& fallback) {
  if constexpr (requires { value.empty(); })
    return value.empty();
  else if constexpr (requires { value.has_value(); })
    return !value.has_value();
  else if constexpr (std::equality_comparable<Value>)
    return value == fallback;
  else
    return false;
}

template <typename T>
class Writer : public Fields<Writer<T>, T> {
 public:
  Writer(Json& json, const T& object, const Lists& lists, bool complete)
      : json_(json), object_(object), lists_(lists), complete_(complete) {}

  void document(const char* schema, const char*, const char*) { json_["schema"] = schema; }

  template <typename Member, typename Form, typename Fallback>
  void field(Field field, Member member, const Form& form, Fallback fallback) {
    const auto& value = std::invoke(member, object_);
    if (field.presence == Presence::optional && !complete_ && is_default(value, std::invoke(fallback, object_))) return;
    json_[field.key] = form.write(value, lists_);
  }

  template <typename Get, typename Set, typename Form>
  void derived(const char* key, Get get, Set, const char*, const Form& form) {
    json_[key] = form.write(std::invoke(get, object_), lists_);
  }

 private:
  Json& json_;
  const T& object_;
  const Lists& lists_;
  bool complete_;  // leave nothing out
};

// Reads into an object that has its defaults.
template <typename T>
class Reader : public Fields<Reader<T>, T> {
 public:
  Reader(const Json& json, T& object) : json_(json), object_(object) {}

  void object(const char*, const char*) {
    if (!json_.is_object()) throw Malformed(" is no object");
  }
  void document(const char* schema, const char*, const char*) {
    auto found = json_.is_object() ? json_.find("schema") : json_.end();
    if (found == json_.end() || *found != schema) throw Malformed(".schema is not " + std::string(schema));
  }

  template <typename Member, typename Form, typename Fallback>
  void field(Field field, Member member, const Form& form, Fallback fallback) {
    auto& value = std::invoke(member, object_);
    if (auto found = json_.find(field.key); found != json_.end()) return inside(field.key, [&] { form.read(*found, value); });
    if (field.presence == Presence::required) throw Malformed(" has no \"" + std::string(field.key) + "\"");
    if constexpr (std::is_member_pointer_v<Fallback>) value = std::invoke(fallback, object_);
  }

  template <typename Get, typename Set, typename Form>
  void derived(const char* key, Get, Set set, const char*, const Form& form) {
    auto found = json_.find(key);
    if (found == json_.end()) return;
    typename Fields<Reader<T>, T>::template Value<Get> value{};
    inside(key, [&] { form.read(*found, value); });
    set(object_, value);
  }

 private:
  const Json& json_;
  T& object_;
};

template <typename T>
class Checker : public Fields<Checker<T>, T> {
 public:
  Checker(const T& object, const Lists& lists) : object_(object), lists_(lists) {}

  template <typename Member, typename Form, typename Fallback>
  void field(Field field, Member member, const Form& form, Fallback) {
    inside(field.key, [&] { form.check(std::invoke(member, object_), lists_); });
  }

 private:
  const T& object_;
  const Lists& lists_;
};

// Notes how long the lists of a document are.
template <typename T>
class Counter : public Fields<Counter<T>, T> {
 public:
  Counter(const T& object, Lists& lists) : object_(object), lists_(lists) {}

  template <typename Member, typename Form, typename Fallback>
  void field(Field, Member member, const Form& form, Fallback) {
    if constexpr (requires { form.space, form.element; }) form.add_to(lists_, std::invoke(member, object_));
  }

 private:
  const T& object_;
  Lists& lists_;
};

template <typename T>
class SchemaMaker : public Fields<SchemaMaker<T>, T> {
 public:
  explicit SchemaMaker(Definitions& definitions) : definitions_(definitions) {}

  void object(const char* name, const char* meaning) {
    name_ = name;
    schema_["description"] = meaning;
    schema_["type"] = "object";
  }
  void document(const char* schema, const char* name, const char* meaning) {
    object(name, meaning);
    schema_["properties"]["schema"] = {{"const", schema}};
    schema_["required"].push_back("schema");
  }

  template <typename Member, typename Form, typename Fallback>
  void field(Field field, Member, const Form& form, Fallback fallback) {
    Json& property = add(field.key, field.meaning, form);
    if (field.presence == Presence::required)
      schema_["required"].push_back(field.key);
    else if constexpr (!std::is_member_pointer_v<Fallback>)
      property["default"] = form.write(fallback(T{}), {});
  }

  template <typename Get, typename Set, typename Form>
  void derived(const char* key, Get, Set, const char* meaning, const Form& form) {
    add(key, meaning, form);
  }

  const std::string& name() const { return name_; }
  Json take() { return std::move(schema_); }

 private:
  template <typename Form>
  Json& add(const char* key, const char* meaning, const Form& form) {
    Json& property = schema_["properties"][key] = form.schema(definitions_);
    property["description"] = meaning;
    return property;
  }

  Definitions& definitions_;
  std::string name_;
  Json schema_ = Json::object();
};

// A struct that is described.
template <typename T, typename Way = T>
struct Object {
  bool complete = false;  // write optional members that have their default, too

  Json write(const T& value, const Lists& lists) const {
    Json json = Json::object();
    Writer<T> writer(json, value, lists, complete);
    describe(writer, As<T, Way>{});
    return json;
  }
  void read(const Json& json, T& value) const {
    Reader<T> reader(json, value);
    describe(reader, As<T, Way>{});
  }
  void check(const T& value, const Lists& lists) const {
    Checker<T> checker(value, lists);
    describe(checker, As<T, Way>{});
  }
  Json schema(Definitions& definitions) const {
    SchemaMaker<T> maker(definitions);
    describe(maker, As<T, Way>{});
    std::string reference = "#/$defs/" + maker.name();
    definitions.by_name[maker.name()] = maker.take();
    return {{"$ref", reference}};
  }
};

// One that is null unless its member `known` is true.
template <typename T>
struct Known {
  bool T::*known;

  Json write(const T& value, const Lists& lists) const {
    return value.*known ? Object<T>{}.write(value, lists) : Json(nullptr);
  }
  void read(const Json& json, T& value) const {
    value.*known = !json.is_null();
    if (value.*known) Object<T>{}.read(json, value);
  }
  void check(const T& value, const Lists& lists) const { Object<T>{}.check(value, lists); }
  Json schema(Definitions& definitions) const { return or_null(Object<T>{}.schema(definitions)); }
};

template <typename T, typename Way = T>
Lists lists_of(const T& document) {
  Lists lists;
  Counter<T> counter(document, lists);
  describe(counter, As<T, Way>{});
  return lists;
}

// A struct whose numbers are positions in lists of its own.
template <typename T, typename Way = T>
struct Document {
  Json write(const T& value, const Lists& = {}) const { return Object<T, Way>{}.write(value, lists_of<T, Way>(value)); }
  void read(const Json& json, T& value) const { Object<T, Way>{}.read(json, value); }
  void check(const T& value, const Lists& = {}) const { Object<T, Way>{}.check(value, lists_of<T, Way>(value)); }
  Json schema(Definitions& definitions) const { return Object<T, Way>{}.schema(definitions); }

  // The whole schema, in the 2020-12 draft of JSON Schema.
  static Json published() {
    Definitions definitions;
    SchemaMaker<T> maker(definitions);
    describe(maker, As<T, Way>{});
    Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", maker.name()}};
    schema.update(maker.take());
    if (!definitions.by_name.empty()) schema["$defs"] = std::move(definitions.by_name);
    return schema;
  }
};

}  // namespace gradscan::forms
