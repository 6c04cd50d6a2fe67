// The rules that findings are of: what each means whatever the model, for readers who meet its id in a review. docs/findings.md
// has the same words, with examples.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan {

struct Rule {
  std::string_view id;
  Level level;              // of its worst findings
  std::string_view title;   // without a full stop
  std::string_view help;    // what happens
  std::string_view remedy;  // what to do about it
};

// In the order of their levels.
std::span<const Rule> rules();

// nullptr if this gradscan has no such rule.
const Rule* find_rule(std::string_view id);

}  // namespace gradscan
