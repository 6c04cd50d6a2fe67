#include "analyzer/diagnose/outcome_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/findings.h"
#include "analyzer/report/report.h"

namespace gradscan {

namespace {

const Rule* worst_rule(const Report& report, const Verdict& verdict) {
  if (verdict.outcome != Outcome::pass) return &rule_of(verdict.outcome);
  if (!verdict.unsynchronised.empty()) return find_rule("not-averaged");
  if (!lost_to_checkpointing(report, verdict).empty() || loses_regions(report, verdict.setup)) return find_rule("not-trained");
  return nullptr;
}

// How bad it is that the function of a region takes another path in its recomputation.
Severity recomputation(const Report& report, const Setup& setup) {
  Severity worst = Severity::clean;
  for (const RegionReport& region : report.regions) {
    const Kind kind = kind_under(setup.checkpointing, region.kind);
    if (!region.recomputation.empty() && kind != Kind::off)
      worst = std::min(worst, kind == Kind::reentrant ? Severity::silent : Severity::error);
  }
  return worst;
}

// What keeps a verdict without a failure from being known.
const Rule* doubt(const Report& report) {
  if (!report.disagreements.empty()) return find_rule("seen-otherwise");
  if (!report.backward_error.empty()) return find_rule("other-error");
  return varies_unseen(report) ? find_rule("graph-varies") : nullptr;
}

}  // namespace

OutcomeWords in_words(const Report& report, const Verdict& verdict) {
  const Rule* rule = worst_rule(report, verdict);
  const Severity recomputed = rule ? Severity::clean : recomputation(report, verdict.setup);
  if (recomputed != Severity::clean)
    return {recomputed, fmt::format("{} {}", severity_words(recomputed).loud, find_rule("recomputation-differs")->in_table)};
  if (!rule) rule = doubt(report);
  if (!rule) return {Severity::clean, std::string(severity_words(Severity::clean).name)};
  return {rule->severity, fmt::format("{} {}", severity_words(rule->severity).loud, rule->in_table)};
}

std::string in_words(Checkpointing checkpointing) {
  switch (checkpointing) {
    case Checkpointing::as_given:
      return "as given";
    case Checkpointing::reentrant:
      return "reentrant";
    case Checkpointing::non_reentrant:
      return "non-reentrant";
    case Checkpointing::off:
      break;
  }
  return "off";
}

std::string in_words(Kind kind) {
  return kind == Kind::reentrant ? "reentrant" : kind == Kind::non_reentrant ? "non-reentrant" : "not checkpointed";
}

std::string_view origin_in_words(RegionOrigin origin) {
  switch (origin) {
    case RegionOrigin::marker:
      return "markers in the file";
    case RegionOrigin::pattern:
      return "--checkpoint";
    case RegionOrigin::wrapper:
      return "CheckpointWrapper modules";
    case RegionOrigin::source_range:
      return "source lines in the file";
    case RegionOrigin::function:
      return "custom autograd Functions";
    default:
      return to_string(origin);
  }
}

}  // namespace gradscan
