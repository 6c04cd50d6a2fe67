// All options, in the order of --help. A new one is a row in option_table.cpp, a member of what it writes into, and its use.
#pragma once

#include <string>
#include <vector>

#include "analyzer/command/option.h"
#include "analyzer/command/options.h"

namespace gradscan {

// Values are written into `line`, which has to outlive the table's use in a parser.
OptionTable option_table(CommandLine& line);

// Of the files that MODEL may be, as completion offers them: {".pt", ...}.
std::vector<std::string> model_extensions();

}  // namespace gradscan
