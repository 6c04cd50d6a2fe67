// Globs over names, and names as words of a shell.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// A shell's glob: * ? [...] and \ to take the next character as it is. '*' also crosses dots.
bool glob_match(std::string_view glob, std::string_view name);

// The glob that matches this name alone.
std::string as_glob(std::string_view name);

// One word for a POSIX shell: as it is, or in single quotes.
std::string quoted(std::string_view word);

}  // namespace gradscan
