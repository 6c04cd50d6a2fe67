// Short words for verdicts, as tables and stories use them.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// How loud a verdict is: an error of DDP and a silent failure are equally bad.
enum class Loudness { pass, silent, error };

struct OutcomeWords {
  Loudness loudness = Loudness::pass;
  std::string words;  // "pass", "ERROR ready twice", "SILENT unaveraged": at most 18 characters
};

OutcomeWords in_words(const Report& report, const Verdict& verdict);

// "reentrant", "non-reentrant", "off", "as given"
std::string in_words(Checkpointing checkpointing);

// "reentrant", "non-reentrant", "not checkpointed"
std::string in_words(Kind kind);

// How gradscan knows of a region (Region::origin): "markers in the file", "--checkpoint"
std::string origin_in_words(const std::string& origin);

}  // namespace gradscan
