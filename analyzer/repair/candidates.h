// Candidates: changes that people try when DDP fails, each of them as edits of the captures and a setup that can be replayed.
// Whether one helps is for others to find out (fixes.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"

namespace gradscan {

// Members as those of a Fix.
struct Candidate {
  std::string change, options;
  Setup setup;
  Edits edits{};
  std::vector<std::string> caveats{};
};

// DDP's flags.
struct Flags {
  bool find_unused_parameters = false, static_graph = false;
  bool operator==(const Flags&) const = default;
};

Flags flags_of(const Setup& setup);

// Of the setup that a report is about, which has a conflict. `report` is of these captures.
class Candidates {
 public:
  Candidates(std::span<const Capture> in_turn, const Report& report);

  // Flags of DDP other than those asked: none, find_unused_parameters, static_graph.
  std::vector<Flags> other_flags() const;
  Candidate with_flags(Flags flags) const;

  // For the parameters that the loss does not depend on, if there are any: frozen, taken times zero, ignored by DDP.
  std::vector<Candidate> for_dead_parameters(Flags flags) const;

  // 0.0 times the sum over all parameters.
  Candidate zero_times_all() const;

  // The training step as it usually is, one unusual thing less in each.
  std::vector<Candidate> steps_undone() const;

  // Arguments of regions that are lost because none requires grad; empty: there is none that could.
  std::optional<Candidate> inputs_require_grad() const;

  // All regions, or the smallest set of them, of this kind. Empty if none is reentrant, and for `regions_of_kind` also if no
  // set is smaller than all.
  std::optional<Candidate> all_of_kind(Checkpointing kind, Flags flags) const;
  std::optional<Candidate> regions_of_kind(Kind kind) const;

  // Everything at once: no checkpointing, DDP's defaults, the usual step, dead parameters frozen.
  Candidate everything() const;

 private:
  Candidate asked() const;
  bool any_reentrant() const;
  void set_flags(Candidate& candidate, Flags flags) const;
  void add_caveat_of_outputs(Candidate& candidate) const;
  void freeze_dead(Candidate& candidate) const;
  void find_smallest_set();

  std::span<const Capture> in_turn_;
  const Report& report_;
  std::vector<std::string> dead_;          // globs
  std::vector<std::string> region_names_;  // of all regions, each once
  std::vector<std::string> set_;           // names of the smallest set of regions that has to change; empty: none is smaller
};

// "head.*", "a.weight, b.weight and 3 more": what globs match, in words.
std::string globs_in_words(const std::vector<std::string>& globs);

}  // namespace gradscan
