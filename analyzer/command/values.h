// Values of options: from the text on the command line to numbers and names. What makes no sense throws Error (usage), whose
// subject is the option as it was written.
//
//     whole_number("--radius", "2", 0, 1000);                    // 2
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

double positive_number(const std::string& option, const std::string& text, const std::string& unit);
int whole_number(const std::string& option, const std::string& text, int least, int most);

// A number with its unit: B, KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024.
std::int64_t memory_size(const std::string& option, const std::string& text);

// A path, or a glob, is never empty.
std::string not_empty(const std::string& option, const std::string& text);

// "OLD=NEW", of which OLD is not empty.
std::pair<std::string, std::string> replacement(const std::string& option, const std::string& text);

Error not_among(const std::string& option, const std::string& text, const std::vector<std::string>& known);

// The value that `text` names; hyphens and underscores are the same.
template <typename Value>
Value named(const std::string& option, const std::string& text, const std::vector<std::pair<std::string, Value>>& choices) {
  std::string normal = text;
  for (char& c : normal) c = c == '_' ? '-' : c;
  std::vector<std::string> known;
  for (const auto& [name, value] : choices) {
    if (name == normal) return value;
    known.push_back(name);
  }
  throw not_among(option, text, known);
}

}  // namespace gradscan
