// The rules: everything that can be found, a row each, and the words for it in every format. A new outcome of DDP is a row here, an
// enumerator in gradscan/verdict.h and a diagnosis in analyzer/diagnose/findings.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "gradscan/verdict.h"

namespace gradscan {

struct Rule {
  std::string_view id;             // of findings: "marked-ready-twice"
  std::optional<Outcome> outcome;  // the error of DDP or of backward; empty: DDP says nothing
  std::string_view phrase;         // by which DDP's message is known; empty: by none
  Severity severity;               // of its worst findings
  std::string_view in_table;       // "ready twice": at most 12 characters
  std::string_view of_parameter;   // what happens to a parameter: "not ready"
  std::string_view fate;           // the same in a sentence, behind "PARAMETER is" and, of an error, before "iteration 0"
  std::string_view title;          // without a full stop
  std::string_view help;           // what happens; docs/findings.md has the same words, with examples
  std::string_view remedy;         // what to do about it
};

// In the order of their severities.
std::span<const Rule> rules();

// nullptr if this gradscan has no such rule.
const Rule* find_rule(std::string_view id);

// Of an outcome other than pass.
const Rule& rule_of(Outcome outcome);

// That of an error with this message.
Outcome outcome_of(std::string_view message);

struct SeverityWords {
  Severity severity;
  std::string_view name;   // "silent"
  std::string_view title;  // "Silent failure"
  std::string_view loud;   // "SILENT"
};

const SeverityWords& severity_words(Severity severity);

}  // namespace gradscan
