// Text from a model file: names, messages and paths that may contain any bytes. Two ways to make it readable; both return valid
// UTF-8 without anything invisible that has an effect: control characters, line breaks, zero-width characters, direction marks.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// For a terminal: these are replaced by an escape that shows what they were: \n, \x1b, \u202e; \xff for a byte that is not
// UTF-8.
std::string printable(std::string_view text);

// For a picture: these become U+FFFD.
std::string legible(std::string_view text);

}  // namespace gradscan
