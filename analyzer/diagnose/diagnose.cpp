#include "analyzer/diagnose/diagnose.h"

#include <utility>

#include "analyzer/diagnose/findings.h"
#include "analyzer/diagnose/outcome_words.h"

namespace gradscan {

Report diagnosed(std::span<const Capture> in_turn, const Setup& setup, const Predictions& predictions, Replays replays) {
  Report report = facts_of(in_turn, setup, predictions, std::move(replays));
  report.findings = find_conflicts(report);
  for (Verdict& verdict : report.verdicts) verdict.severity = in_words(report, verdict).severity;
  report.verdict.severity = in_words(report, report.verdict).severity;
  return report;
}

}  // namespace gradscan
