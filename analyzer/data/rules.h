// The rules: a row for everything that gradscan can find, with the words for it in every format. A new outcome of DDP is a row
// here, an enumerator in gradscan/verdict.h and a diagnosis in analyzer/diagnose/findings.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "gradscan/verdict.h"

namespace gradscan {

struct Rule {
  std::string_view id;             // "marked-ready-twice"
  std::optional<Outcome> outcome;  // the error that DDP or backward raises; empty: none
  std::string_view phrase;         // identifies DDP's message; empty: nothing does
  Severity severity;               // of its worst findings
  std::string_view in_table;       // "ready twice": at most 12 characters
  std::string_view of_parameter;   // what happens to a parameter: "not ready"
  std::string_view fate;           // the same in a sentence, after "PARAMETER is" and, for an error, before "iteration 0"
  std::string_view title;          // without a full stop
  std::string_view help;           // what happens; docs/findings.md has the same words, with examples
  std::string_view remedy;         // what to do about it
};

// In order of severity.
std::span<const Rule> rules();

// nullptr if there is no such rule.
const Rule* find_rule(std::string_view id);

// The rule of an outcome other than pass.
const Rule& rule_of(Outcome outcome);

// The outcome of an error with this message.
Outcome outcome_of(std::string_view message);

struct SeverityWords {
  Severity severity;
  std::string_view name;     // "silent"
  std::string_view title;    // "Silent failure"
  std::string_view loud;     // "SILENT"
  std::string_view heading;  // "SILENT FAILURE"
};

const SeverityWords& severity_words(Severity severity);

}  // namespace gradscan
