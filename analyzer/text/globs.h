// Globs over names, and names quoted for a shell.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// A shell glob: * ? [...] and \ to escape the next character. '*' also crosses dots.
bool glob_match(std::string_view glob, std::string_view name);

// The glob that matches only this name.
std::string as_glob(std::string_view name);

// One word for a POSIX shell: unchanged, or in single quotes.
std::string quoted(std::string_view word);

}  // namespace gradscan
