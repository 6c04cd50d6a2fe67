// Files that are read. (Those that are written: gradscan/files.h.)
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// Writes to an open file descriptor until everything is written. Returns 0 or the errno of what went wrong.
int write_all(int descriptor, std::string_view content);

// Throws Error (not_a_model) unless the file can be opened and is a regular one, and not empty.
void require_readable(const std::string& path);

// All of a file. Throws Error (not_a_model) if there is none that can be read.
std::string read_file(const std::string& path);

// The path of the file that a write to `path` replaces: absolute, without "." and "..", symbolic links followed. Two paths
// are the same file if this is the same.
std::string resolved(const std::string& path);

}  // namespace gradscan
