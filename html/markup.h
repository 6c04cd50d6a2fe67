// Writing HTML that is well-formed XML too, so that any parser can check it.
//
//     element("td", {{"class", "number"}}, escaped(name))      // <td class="number">a &lt; b</td>
//
// Whatever comes from a model file goes through escaped() or an attribute; all other strings are markup.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gradscan::page {

// Legible text (analyzer/text/foreign_text.h) as xml() in dot/layout/labels.h writes it: for the inside of elements and of attributes,
// which stand between ".
std::string escaped(std::string_view text);

using Attribute = std::pair<std::string_view, std::string_view>;  // the value is text

// Attributes without a value are left out.
std::string element(std::string_view tag, std::initializer_list<Attribute> attributes, std::string_view inside);
std::string element(std::string_view tag, std::string_view inside);

// A link to something in the page.
std::string link(std::string_view id, std::string_view inside);

// A name or piece of code.
std::string code(std::string_view text);

}  // namespace gradscan::page
