#include "html/markup.h"

#include <cstdio>

#include "analyzer/text/foreign_text.h"
#include "dot/layout/labels.h"

namespace gradscan::page {
namespace {

// A URL fragment that browsers resolve to the id: all but a few bytes are percent-encoded.
std::string fragment(std::string_view id) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$*+,;=:@/?";
  std::string result = "#";
  for (const char byte : id) {
    char encoded[4];
    std::snprintf(encoded, sizeof encoded, "%%%02X", static_cast<unsigned char>(byte));
    plain.find(byte) == std::string_view::npos ? result += encoded : result += byte;
  }
  return result;
}

}  // namespace

std::string escaped(std::string_view text) {
  return xml(legible(text));
}

std::string element(std::string_view tag, std::initializer_list<Attribute> attributes, std::string_view inside) {
  std::string result = "<" + std::string(tag);
  for (const auto& [key, value] : attributes)
    if (!value.empty()) result.append(" ").append(key).append("=\"").append(escaped(value)).append("\"");
  return result.append(">").append(inside).append("</").append(tag).append(">");
}

std::string element(std::string_view tag, std::string_view inside) {
  return element(tag, {}, inside);
}

std::string link(std::string_view id, std::string_view inside) {
  return element("a", {{"href", fragment(id)}}, inside);
}

std::string code(std::string_view text) {
  return element("code", escaped(text));
}

}  // namespace gradscan::page
