#include "analyzer/diagnose/outcome_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/findings.h"
#include "analyzer/report/report.h"

namespace gradscan {

namespace {

// What is wrong in one setup, and how bad that is.
struct Judgement {
  Severity severity = Severity::clean;
  const Rule* rule = nullptr;
};

Judgement judge(const Rule* rule) {
  return {rule->severity, rule};
}

// What DDP and autograd do with the graph.
Judgement of_replay(const Report& report, const Verdict& verdict) {
  if (verdict.outcome != Outcome::pass) return judge(&rule_of(verdict.outcome));
  if (!verdict.unsynchronised.empty()) return judge(find_rule("not-averaged"));
  if (!lost_to_checkpointing(report, verdict).empty() || loses_regions(report, verdict.setup))
    return judge(find_rule("not-trained"));
  return {};
}

// Whether backward runs the region's function a second time.
bool runs_again(const RegionReport& region, const Setup& setup) {
  if (kind_under(setup.checkpointing, region.given) == Kind::off) return false;
  const Reach& reach = reach_of(region, setup.checkpointing);
  return reach.from_loss || (reach.from_sink && (setup.find_unused_parameters || setup.static_graph));
}

bool is_inside_of_what_differs(const Report& report, const RegionReport& region, const Setup& setup) {
  bool differs = false;
  for (int around = region.parent; around != none; around = report.regions[around].parent) {
    if (kind_under(setup.checkpointing, report.regions[around].given) != Kind::off) return false;
    differs = differs || !report.regions[around].recomputation.empty();
  }
  return differs;
}

Judgement of_recomputation(const Report& report, const Setup& setup) {
  Judgement worst{.rule = find_rule("recomputation-differs")};
  for (const RegionReport& region : report.regions)
    worst.severity = std::min(worst.severity, severity_of_recomputation(report, region, setup));
  return worst;
}

// What a real run of the model, as it was recorded, has shown.
Judgement of_observation(const Report& report, const Setup& setup) {
  if (report.backward_error.empty()) return {};
  return judge(find_rule(is_as_recorded(report, setup) ? "other-error" : "seen-otherwise"));
}

Judgement of_variation(const Report& report, const Setup& setup) {
  return varies_unseen(report, setup) ? judge(find_rule("graph-varies")) : Judgement{};
}

// Whatever else is found in a graph that is not the whole one is worth nothing.
Judgement worst_judgement(const Report& report, const Verdict& verdict) {
  if (!report.disagreements.empty()) return judge(find_rule("seen-otherwise"));
  const Setup& setup = verdict.setup;
  return std::ranges::min(
      {of_replay(report, verdict), of_observation(report, setup), of_recomputation(report, setup), of_variation(report, setup)},
      {}, &Judgement::severity);
}

}  // namespace

OutcomeWords in_words(const Report& report, const Verdict& verdict) {
  const auto [severity, rule] = worst_judgement(report, verdict);
  if (severity == Severity::clean) return {severity, std::string(severity_words(severity).name)};
  return {severity, fmt::format("{} {}", severity_words(severity).loud, rule->in_table)};
}

Severity severity_of_recomputation(const Report& report, const RegionReport& region, const Setup& setup) {
  const Kind kind = kind_under(setup.checkpointing, region.given);
  if (!runs_again(region, setup)) return Severity::clean;
  if (region.recomputation.empty())
    return is_inside_of_what_differs(report, region, setup) ? Severity::unknown : Severity::clean;
  if (kind == Kind::reentrant) return Severity::silent;
  switch (region.mismatch) {
    case Mismatch::raises:
      return Severity::error;
    case Mismatch::unnoticed:
      return Severity::silent;
    case Mismatch::harmless:
      return Severity::clean;
    case Mismatch::unknown:
      break;
  }
  return Severity::unknown;
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
