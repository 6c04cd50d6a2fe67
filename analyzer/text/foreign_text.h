// Text from a model file: names, messages and paths that may hold any bytes. Two ways to make it fit for a reader; both leave
// valid UTF-8 without anything that acts instead of being seen: control characters, line breaks, zero-width characters, marks
// that turn the direction of writing.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// For a terminal: everything else is replaced by an escape that tells what it was: \n, \x1b, \u202e; \xff for a byte that is
// not UTF-8.
std::string printable(std::string_view text);

// For a picture: everything else becomes U+FFFD.
std::string legible(std::string_view text);

}  // namespace gradscan
