// What the exit codes of the program mean, as --help and the man page say it.
#pragma once

#include <span>
#include <string_view>

namespace gradscan {

struct ExitCode {
  int code = 0;
  std::string_view meaning;
};

// Ascending.
std::span<const ExitCode> exit_codes();

}  // namespace gradscan
