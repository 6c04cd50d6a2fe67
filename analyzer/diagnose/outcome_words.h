// Short words for verdicts, used in tables and sentences.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

struct OutcomeWords {
  Severity severity = Severity::clean;
  std::string words;  // "pass", "ERROR ready twice", "SILENT unaveraged": at most 18 characters
};

// The worst that is known of a setup, of its replay and of the model.
OutcomeWords in_words(const Report& report, const Verdict& verdict);

// How bad it is that the recomputation of this region differs, if it were of that kind; clean if it does not.
Severity severity_of_recomputation(const RegionReport& region, Kind kind);

// "reentrant", "non-reentrant", "off", "as given"
std::string in_words(Checkpointing checkpointing);

// "reentrant", "non-reentrant", "not checkpointed"
std::string in_words(Kind kind);

// "markers in the file", "--checkpoint"
std::string_view origin_in_words(RegionOrigin origin);

}  // namespace gradscan
