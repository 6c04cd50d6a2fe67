// What reports say about fixes.
#pragma once

#include <string>

#include "analyzer/formats/terminal.h"
#include "gradscan/report.h"

namespace gradscan {

// Two sections: the first fixes, each with its number, its caveats, what it costs and how to check it; and what does not help.
// Nothing if there is no conflict.
void write_fixes(TerminalText& out, const Report& report);

// Where figures are known: what a fix needs and costs beside what the setup asked does, unless it reads alike. Else empty.
std::string price_in_words(const Price& price, const Price& asked);

}  // namespace gradscan
