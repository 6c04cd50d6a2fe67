// Small helpers for text that people read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// "1 parameter", "2 parameters"
std::string count(std::size_t number, std::string_view noun);

// "once", "twice", "3 times"
std::string times(int number);

// "a", "a and b", "a, b and c"; beyond `most` names: "a, b and 3 more"
std::string enumerate(const std::vector<std::string>& names, std::size_t most);

// "a", "a, b, c"; beyond three names: "a, b, c, ..."
std::string first_three(const std::vector<std::string>& names);

// "float32[2, 3, 224, 224]"
std::string tensor_in_words(const std::string& dtype, const std::vector<std::int64_t>& shape);

// DDP indices: "#3", "#150-#158, #160"
std::string index_ranges(const std::vector<int>& ascending);

// Breaks printable text into lines of at most `width` columns (a longer word gets its own line), each ending with a line break.
// The first line begins with `first`, the others with `indent`.
std::string wrap(std::string_view text, int width, std::string_view first, std::string_view indent);

// "1.7 GiB", "12 MiB", "0 B"
std::string bytes(std::int64_t number);

// "4.1 GFLOP"
std::string flops(std::int64_t number);

// 0.254: "25%"; a share above 0 that rounds to 0: "under 1%"
std::string percent(double share);

}  // namespace gradscan
