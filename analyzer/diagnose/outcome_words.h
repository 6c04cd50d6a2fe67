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

// How bad it is in this setup that the recomputation of this region differs; clean if it does not, or if there is none. Only
// recomputations of outermost regions have been compared: of a region in one that differs but is switched off, it is unknown.
Severity severity_of_recomputation(const Report& report, const RegionReport& region, const Setup& setup);

// "reentrant", "non-reentrant", "off", "as given"
std::string in_words(Checkpointing checkpointing);

// "reentrant", "non-reentrant", "not checkpointed"
std::string in_words(Kind kind);

// "markers in the file", "--checkpoint"
std::string_view origin_in_words(RegionOrigin origin);

}  // namespace gradscan
