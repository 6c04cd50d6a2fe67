// The width of text on a terminal, in columns: characters of some scripts and some symbols take two, combining marks none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradscan {

// The number of columns of printable or legible text (foreign_text.h).
std::size_t columns(std::string_view text);

// At most `most` columns: the middle of a longer text becomes an ellipsis. Takes and returns legible or printable text.
std::string elided(std::string_view text, std::size_t most);

// Padded with spaces on the right.
std::string padded(std::string text, std::size_t width);

}  // namespace gradscan
