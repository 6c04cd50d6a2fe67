#include "analyzer/repair/fixes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "analyzer/graph/name_globs.h"
#include "analyzer/report/report.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

// Parameters of an error that the loss nevertheless depends on.
std::vector<std::string> globs_of_used_in_conflict(const Capture& capture, const Report& report) {
  std::vector<int> order = ddp_order(capture);
  std::vector<bool> chosen(capture.parameters.size());
  for (const Finding& finding : report.findings)
    for (const Group& group : finding.groups)
      for (int index : group.parameters)
        if (finding.severity == Severity::error && report.parameters[index].in_loss) chosen[order[index]] = true;
  return globs_for(capture, chosen);
}

// In the order in which fixes are offered.
enum class Sort {
  flags,            // other flags of DDP
  dead_parameters,  // for parameters that the loss does not depend on
  zero_times_all,   // what people often do about them, adding zero times everything
  step,             // undoing what is unusual about the training step
  inputs,           // making inputs of regions require grad
  some_regions,     // another kind of checkpointing for as few regions as possible
  all_regions,      // ... for all regions
  all_and_flags,    // ... and with other flags
  everything,
};

struct Attempt {
  Sort sort;
  Candidate candidate;
  Trial trial{};
};

class Fixer {
 public:
  Fixer(std::span<const Capture> in_turn, const Report& report, const TryAll& try_all)
      : in_turn_(in_turn),
        report_(report),
        try_all_(try_all),
        candidates_(in_turn, report),
        requested_(flags_of(report.setup)) {}

  void run() {
    try_out(changes_of_one_thing());
    try_out(combinations());
    if (std::none_of(attempts_.begin(), attempts_.end(), is_clean)) try_out({{Sort::everything, candidates_.everything()}});
    std::stable_sort(attempts_.begin(), attempts_.end(),
                     [](const Attempt& left, const Attempt& right) { return left.sort < right.sort; });
    add_caveats_of_accumulation();
  }

  std::vector<Fix> fixes() const {
    std::vector<Fix> fixes;
    std::set<Checkpointing> combined;  // each kind is offered once, with the first flags that help
    for (const Attempt& attempt : attempts_) {
      if (!is_clean(attempt) || attempt.sort == Sort::zero_times_all) continue;
      const Candidate& candidate = attempt.candidate;
      if (attempt.sort == Sort::all_and_flags && !combined.insert(candidate.setup.checkpointing).second) continue;
      fixes.push_back({.change = candidate.change,
                       .options = candidate.options,
                       .setup = candidate.setup,
                       .edits = candidate.edits,
                       .caveats = candidate.caveats});
      if (attempt.trial.varies) fixes.back().caveats.push_back("only if training runs no other graphs than those in the file");
    }
    return fixes;
  }

  std::vector<NoHelp> no_help() const {
    std::vector<NoHelp> no_help;
    for (const Attempt& attempt : attempts_)
      if (!attempt.trial.clean && attempt.sort < Sort::all_and_flags && !helps_with_defaults(attempt))
        no_help.push_back({attempt.candidate.change, attempt.trial.failure});
    if (std::vector<std::string> used = globs_of_used_in_conflict(in_turn_.front(), report_); !used.empty())
      no_help.push_back({"_set_params_and_buffers_to_ignore_for_model(model, names) for " + globs_in_words(used),
                         "DDP then never averages their gradients, and every rank trains them on its own"});
    return no_help;
  }

 private:
  static bool is_clean(const Attempt& attempt) { return attempt.trial.clean; }

  std::vector<Attempt> changes_of_one_thing() const {
    std::vector<Attempt> attempts;
    auto add = [&](Sort sort, const std::optional<Candidate>& candidate) {
      if (candidate) attempts.push_back({sort, *candidate});
    };
    for (Flags flags : candidates_.other_flags()) add(Sort::flags, candidates_.with_flags(flags));
    std::vector<Candidate> for_dead = candidates_.for_dead_parameters(requested_);
    for (const Candidate& candidate : for_dead) add(Sort::dead_parameters, candidate);
    if (!for_dead.empty()) add(Sort::zero_times_all, candidates_.zero_times_all());
    for (const Candidate& candidate : candidates_.steps_undone()) add(Sort::step, candidate);
    add(Sort::inputs, candidates_.inputs_require_grad());
    for (Kind kind : {Kind::non_reentrant, Kind::off}) add(Sort::some_regions, candidates_.regions_of_kind(kind));
    for (Checkpointing kind : kinds) add(Sort::all_regions, candidates_.all_of_kind(kind, requested_));
    return attempts;
  }

  // Flags that help alone are not combined with anything.
  std::vector<Attempt> combinations() const {
    std::vector<Attempt> attempts;
    if (requested_ != Flags{} && !has_clean(Sort::dead_parameters) && !help_alone({}))
      for (const Candidate& candidate : candidates_.for_dead_parameters({}))
        attempts.push_back({Sort::dead_parameters, candidate});
    for (Checkpointing kind : kinds)
      for (Flags flags : candidates_.other_flags())
        if (!is_repaired_by(kind) && !help_alone(flags))
          if (std::optional<Candidate> candidate = candidates_.all_of_kind(kind, flags))
            attempts.push_back({Sort::all_and_flags, *candidate});
    return attempts;
  }

  void try_out(std::vector<Attempt> attempts) {
    std::vector<Candidate> candidates;
    for (const Attempt& attempt : attempts) candidates.push_back(attempt.candidate);
    std::vector<Trial> trials = try_all_(candidates);
    for (std::size_t at = 0; at < attempts.size(); ++at) {
      attempts[at].trial = trials[at];
      attempts_.push_back(std::move(attempts[at]));
    }
  }

  bool has_clean(Sort sort) const {
    return std::any_of(attempts_.begin(), attempts_.end(),
                       [&](const Attempt& attempt) { return attempt.sort == sort && attempt.trial.clean; });
  }

  // A change for dead parameters does help if it does so with other flags.
  bool helps_with_defaults(const Attempt& attempt) const {
    return attempt.sort == Sort::dead_parameters && has_clean(Sort::dead_parameters);
  }

  bool help_alone(Flags flags) const {
    return std::any_of(attempts_.begin(), attempts_.end(), [&](const Attempt& attempt) {
      return attempt.sort == Sort::flags && attempt.trial.clean && flags_of(attempt.candidate.setup) == flags;
    });
  }

  bool is_repaired_by(Checkpointing kind) const {
    return std::any_of(attempts_.begin(), attempts_.end(), [&](const Attempt& attempt) {
      return attempt.sort == Sort::all_regions && attempt.trial.clean && attempt.candidate.setup.checkpointing == kind;
    });
  }

  // static_graph takes the first backward as its contract, and that may be one inside no_sync().
  void add_caveats_of_accumulation() {
    std::vector<Attempt*> affected;
    std::vector<Candidate> accumulating;
    for (Attempt& attempt : attempts_) {
      const Setup& setup = attempt.candidate.setup;
      if (!attempt.trial.clean || !setup.static_graph || requested_.static_graph || setup.step.no_sync > 0) continue;
      affected.push_back(&attempt);
      accumulating.push_back(attempt.candidate);
      accumulating.back().setup.step.no_sync = 1;
    }
    std::vector<Trial> trials = try_all_(accumulating);
    for (std::size_t at = 0; at < affected.size(); ++at)
      if (!trials[at].clean)
        affected[at]->candidate.caveats.push_back("not if gradients are accumulated in no_sync(): " + trials[at].failure);
  }

  static constexpr Checkpointing kinds[] = {Checkpointing::non_reentrant, Checkpointing::off};

  std::span<const Capture> in_turn_;
  const Report& report_;
  const TryAll& try_all_;
  Candidates candidates_;
  Flags requested_;
  std::vector<Attempt> attempts_;
};

}  // namespace

// That graphs vary is as unknown after a fix as before.
Trial trial_of(const Report& report) {
  const auto is_in_the_way = [](const Finding& finding) {
    return finding.severity < Severity::note && finding.rule != "graph-varies";
  };
  const auto found = std::ranges::find_if(report.findings, is_in_the_way);
  if (found == report.findings.end()) return {.clean = true, .varies = varies_unseen(report, report.setup)};
  return {.failure = found->title};
}

void add_fixes(std::span<const Capture> in_turn, Report& report, const TryAll& try_all) {
  if (!has_failure(report) || !report.disagreements.empty() || !report.backward_error.empty()) return;
  Fixer fixer(in_turn, report, try_all);
  fixer.run();
  report.fixes = fixer.fixes();
  report.no_help = fixer.no_help();
}

void add_smaller_batch(Report& report) {
  if (!has_failure(report)) return;
  std::string reason = "the graph does not depend on the batch size";
  if (std::int64_t peak = report.price.peak(); peak > 0)
    reason += fmt::format("; half the batch needs up to {} of activations instead of {}",
                          bytes(scaled(report.price, 0.5).peak()), bytes(peak));
  report.no_help.push_back({"a smaller batch", reason});
}

}  // namespace gradscan
