// Views: the setups that a page can show of one report, each with what it knows about it.
//
// Of the setup asked that is the whole report. Of the others it is their own report where Report::setups has it, and otherwise
// the verdict alone.
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
  const Report* report = nullptr;    // of this setup; null: unknown
  bool asked = false;
};

// The rows of Report::verdicts, in that order; before them the setup asked if it is no row. The views point into `report`.
std::vector<View> views_of(const Report& report, const Anchors& anchors);

// What happens to some parameters.
struct Outcomes {
  std::string words;                    // "ready twice"
  Severity severity = Severity::error;  // how bad it is
  std::vector<int> parameters;          // DDP indices, ascending
};

// Of a view of `report`, worst first; parameters in none of them are fine, or nothing is known of them.
std::vector<Outcomes> outcomes_of(const Report& report, const View& view);

}  // namespace gradscan::page
