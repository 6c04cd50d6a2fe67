// What text reports say about fixes.
#pragma once

#include <cstddef>
#include <string>

#include "analyzer/formats/terminal.h"
#include "gradscan/report.h"

namespace gradscan {

inline constexpr std::size_t fixes_shown = 6, failures_shown = 6;

// Two sections: the first few fixes, each with its number, caveats, price and how to check it; and changes that do not help.
// Writes nothing if there is no conflict.
void write_fixes(TerminalText& out, const Report& report);

// Why there are no fixes, as a heading.
std::string no_fix_in_words(const Report& report);

// How much memory and work a fix takes compared with the requested setup. Empty if the figures are unknown.
std::string price_in_words(const Price& price, const Price& asked);

}  // namespace gradscan
