// Reading files. For writing, see gradscan/files.h.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// Writes everything to an open file descriptor. Returns 0 or the errno of the failure.
int write_all(int descriptor, std::string_view content);

// Throws Error (not_a_model) unless the path is a readable, non-empty regular file.
void require_readable(const std::string& path);

// The content of a file. Throws Error (not_a_model) if it cannot be read.
std::string read_file(const std::string& path);

// The path of the file that a write to `path` replaces: absolute, without "." and "..", with symbolic links followed. Two paths
// name the same file if their resolved paths are equal.
std::string resolved(const std::string& path);

}  // namespace gradscan
