// Candidates: changes that people try when DDP fails, each as a setup and edits of the captures that can be replayed. fixes.h
// finds out which of them help.
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

// The members mean the same as those of Fix.
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

// Candidates for the captures and the setup of `report`, which has a conflict.
class Candidates {
 public:
  Candidates(std::span<const Capture> in_turn, const Report& report);

  // Flags of DDP other than the requested ones: out of none, find_unused_parameters, static_graph.
  std::vector<Flags> other_flags() const;
  Candidate with_flags(Flags flags) const;

  // For the parameters that the loss does not depend on, if any: freeze them, add them to the loss times zero, have DDP ignore
  // them.
  std::vector<Candidate> for_dead_parameters(Flags flags) const;

  // Adds 0.0 times the sum of all parameters to the loss.
  Candidate zero_times_all() const;

  // The training step, each with one unusual thing undone.
  std::vector<Candidate> steps_undone() const;

  // Makes arguments of lost regions require grad, where none does; empty if none could.
  std::optional<Candidate> inputs_require_grad() const;

  // Gives this kind to all regions, or to the smallest set of them that helps. Empty if none is reentrant; regions_of_kind()
  // also if no set is smaller than all.
  std::optional<Candidate> all_of_kind(Checkpointing kind, Flags flags) const;
  std::optional<Candidate> regions_of_kind(Kind kind) const;

  // Everything at once: no checkpointing, DDP's defaults, the usual step, dead parameters frozen.
  Candidate everything() const;

 private:
  Candidate unchanged() const;
  bool any_reentrant() const;
  void set_flags(Candidate& candidate, Flags flags) const;
  void add_caveat_of_outputs(Candidate& candidate) const;
  void freeze_dead(Candidate& candidate) const;
  void find_smallest_set();

  std::span<const Capture> in_turn_;
  const Report& report_;
  std::vector<std::string> dead_;          // globs
  std::vector<std::string> region_names_;  // of all regions, without repetition
  std::vector<std::string> set_;  // names of the smallest set of regions that has to change; empty if that is all of them
};

// "head.*", "a.weight, b.weight and 3 more": what globs match, in words.
std::string globs_in_words(const std::vector<std::string>& globs);

}  // namespace gradscan
