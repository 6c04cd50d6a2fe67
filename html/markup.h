// Writes HTML that is also well-formed XML, so that any XML parser can check it.
//
//     element("td", {{"class", "number"}}, escaped(name))      // <td class="number">a &lt; b</td>
//
// Text from a model file must go through escaped() or an attribute; all other strings are markup.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gradscan::page {

// Makes text legible (analyzer/text/foreign_text.h) and escapes it for elements and double-quoted attributes, like xml() in
// dot/layout/labels.h.
std::string escaped(std::string_view text);

using Attribute = std::pair<std::string_view, std::string_view>;  // the value is text

// Attributes with an empty value are left out.
std::string element(std::string_view tag, std::initializer_list<Attribute> attributes, std::string_view inside);
std::string element(std::string_view tag, std::string_view inside);

// A link to an id in the page.
std::string link(std::string_view id, std::string_view inside);

// A name or piece of code.
std::string code(std::string_view text);

}  // namespace gradscan::page
