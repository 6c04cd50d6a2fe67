// How wide text is on a terminal: in columns, of which the characters of some scripts and symbols take two and marks that join
// others none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradscan {

// Number of columns of printable or legible text (foreign_text.h).
std::size_t columns(std::string_view text);

// At most `most` columns: the middle of a longer text becomes an ellipsis. Takes and returns legible or printable text.
std::string elided(std::string_view text, std::size_t most);

// Padded with spaces on the right.
std::string padded(std::string text, std::size_t width);

}  // namespace gradscan
