// Command lines each of whose options makes sense, and that make none together.
#pragma once

#include "analyzer/command/option.h"
#include "analyzer/command/options.h"

namespace gradscan {

// `line` is what the parser has made of a command line with the options of the table. Throws Error (usage).
void refuse_what_makes_no_sense(const CommandLine& line, const OptionTable& table, const CLI::App& parser);

}  // namespace gradscan
