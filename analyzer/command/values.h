// Texts of options, read: sizes, replacements and lists of words. What makes no sense throws Error (usage), whose subject is
// the option as it was written.
//
//     memory_size("--budget", "1.5GiB");                         // 1610612736
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gradscan/error.h"

namespace gradscan {

inline constexpr const char* ask_help = "see gradscan --help";

Error wrong(const std::string& subject, const std::string& problem, const std::string& remedy = ask_help);

// A number with its unit: B, KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024. CLI11's AsSizeValue takes no
// fractions.
std::int64_t memory_size(const std::string& option, const std::string& text);

// "OLD=NEW", of which OLD is not empty.
std::pair<std::string, std::string> replacement(const std::string& option, const std::string& text);

// "a", "a or b", "a, b or c"
std::string either(const std::vector<std::string>& words);

}  // namespace gradscan
