// The JSON form of a Capture, as capture_fields.h describes it. A file of a large model is laid out for people and for diffs:
// each member has a line of its own, and so has each element of its lists. It is written line by line, never as a whole value.
#include "analyzer/base/files.h"
#include "analyzer/data/capture_fields.h"
#include "gradscan/error.h"
#include "gradscan/files.h"

namespace gradscan {
namespace {

using forms::Json;

template <typename Form>
constexpr bool lists_objects = requires(Form form) {
  form.element.complete;
};

template <typename Form, typename Value>
std::string text_of(const Form& form, const Value& value) {
  return forms::one_line(form.write(value, {}));
}

template <typename Form, typename T>
requires lists_objects<Form> std::string text_of(const Form& form, const std::vector<T>& elements) {
  std::string text = "[";
  const char* separator = "\n ";
  for (const T& element : elements) {
    text += separator + text_of(form.element, element);
    separator = ",\n ";
  }
  return text + "]";
}

class Lines : public forms::Fields<Lines, Capture> {
 public:
  explicit Lines(const Capture& capture) : capture_(capture) {}

  void document(const char* schema, const char*, const char*) { text_ = "{\"schema\": " + forms::one_line(schema); }

  template <typename Member, typename Form, typename Fallback>
  void field(forms::Field field, Member member, const Form& form, Fallback fallback) {
    const auto& value = capture_.*member;
    if (field.presence == forms::Presence::optional && forms::is_default(value, std::invoke(fallback, capture_))) return;
    text_ += ",\n\"" + std::string(field.key) + "\": " + text_of(form, value);
  }

  std::string take() { return std::move(text_) + "}\n"; }

 private:
  const Capture& capture_;
  std::string text_;
};

Capture capture_from(std::string_view text, const std::string& subject) {
  std::string problem;
  try {
    Capture capture;
    forms::Document<Capture>{}.read(Json::parse(text), capture);
    return capture;
  } catch (const forms::Malformed& error) {
    problem = in_words(error);
  } catch (const Json::exception& error) {
    problem = forms::in_words(error);
  }
  throw Error(Failure::not_a_model, subject, "is not a capture: " + problem, "write one with --save-capture");
}

}  // namespace

Capture parse_capture(std::string_view text, const std::string& subject) {
  Capture capture = capture_from(text, subject);
  validate(capture, subject);
  return capture;
}

Capture read_capture(const std::string& path) {
  return parse_capture(read_file(path), path);
}

std::string to_json(const Capture& capture) {
  Lines lines(capture);
  describe(lines, As<Capture>{});
  return lines.take();
}

void write_capture(const Capture& capture, const std::string& path) {
  write_file(path, to_json(capture));
}

}  // namespace gradscan
