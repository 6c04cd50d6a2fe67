#include "analyzer/diagnose/diagnose.h"

#include <utility>

#include "analyzer/diagnose/findings.h"

namespace gradscan {

Report diagnosed(std::span<const Capture> in_turn, const Setup& setup, const Predictions& predictions, Replays replays) {
  Report report = facts_of(in_turn, setup, predictions, std::move(replays));
  report.findings = find_conflicts(report);
  return report;
}

}  // namespace gradscan
