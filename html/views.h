// Views: the setups that a page can show for one report, each with what is known about it: the whole report for the requested
// setup; for others their own report if Report::setups has it, and otherwise only the verdict.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradscan/report.h"
#include "html/anchors.h"

namespace gradscan::page {

struct View {
  std::string id;                    // in the page
  const Verdict* verdict = nullptr;  // never null
  const Report* report = nullptr;    // of this setup; null: only the verdict is known
  bool asked = false;
};

// The rows of Report::verdicts in order, preceded by the requested setup if it is not one of them. Views point into `report`.
std::vector<View> views_of(const Report& report, const Anchors& anchors);

// What happens to some parameters.
struct Outcomes {
  std::string words;                    // "ready twice"
  Severity severity = Severity::error;  // how bad it is
  std::vector<int> parameters;          // DDP indices, ascending
};

// For a view of `report`, worst first. Parameters in none of them are fine, or nothing is known about them.
std::vector<Outcomes> outcomes_of(const Report& report, const View& view);

}  // namespace gradscan::page
