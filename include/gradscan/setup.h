// A Setup: how the model is trained; a Verdict: what DistributedDataParallel then does.
//
//     Setup setup;
//     setup.find_unused_parameters = true;
//     Verdict verdict = replay(capture, setup);                 // gradscan/replay.h
//     if (verdict.outcome != Outcome::pass) std::cout << verdict.message;
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

enum class Checkpointing {
  as_given,       // every region is of the kind that the capture says
  reentrant,      // every region is taken to be reentrant
  non_reentrant,  // ... non-reentrant
  off,            // ... not checkpointed
};

// The kind of a region that the capture says to be `given`.
Kind kind_under(Checkpointing checkpointing, Kind given);

struct Setup {
  Checkpointing checkpointing = Checkpointing::as_given;
  bool find_unused_parameters = false;
  bool static_graph = false;
  double bucket_cap_mb = 25;  // MiB, as DistributedDataParallel's argument
};

enum class Outcome {
  pass,                  // DDP says nothing; see Verdict::unsynchronised and Verdict::untrained for what it should have said
  marked_ready_twice,    // "Expected to mark a variable ready only once"
  unfinished_reduction,  // "Expected to have finished reduction in the prior iteration"
  graph_changed,         // "Your training graph has changed"
  other,                 // another error, of DDP or of the model's own backward
};

struct Verdict {
  Setup setup;
  Outcome outcome = Outcome::pass;
  std::optional<int> iteration;     // the iteration (from 0) in which the error is raised; empty for pass
  std::string message;              // DDP's own words, complete; empty for pass
  std::vector<int> parameters;      // DDP indices of the parameters that the message names, in the order of the message
  std::vector<int> unsynchronised;  // DDP indices of parameters whose gradients differ between the ranks, ascending
  std::vector<int> untrained;       // DDP indices of parameters that never get a gradient other than zero, ascending

  // True if nothing is wrong: no error and no silent failure.
  bool clean() const { return outcome == Outcome::pass && unsynchronised.empty() && untrained.empty(); }
};

std::string_view to_string(Checkpointing checkpointing);  // "as_given", "reentrant", "non_reentrant", "off"
std::string_view to_string(Outcome outcome);              // the enumerator's name

// The keyword arguments that one would write: "DistributedDataParallel(model, find_unused_parameters=True)".
std::string ddp_call(const Setup& setup);

}  // namespace gradscan
