// A Setup: how the model is trained.
//
//     Setup setup;
//     setup.find_unused_parameters = true;
//     Verdict verdict = replay(capture, setup).verdict;         // gradscan/replay.h
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"

namespace gradscan {

enum class Checkpointing {
  as_given,       // every region has the kind that the capture says
  reentrant,      // every region is taken to be reentrant
  non_reentrant,  // ... non-reentrant
  off,            // ... not checkpointed
};

// The kind of a region that is `given` in the capture.
Kind kind_under(Checkpointing checkpointing, Kind given);

// What an iteration does around the model's forward. By default: ddp.zero_grad(); loss(ddp(x)).backward().
//
//     TrainingStep accumulating{.no_sync = 3};        // three losses inside ddp.no_sync(), then one that is synchronised
//     TrainingStep tied_outside{.used_outside = {"embedding.weight"}};
struct TrainingStep {
  // Forward calls whose results enter one loss, at least 1: 2 is loss(ddp(a) + ddp(b)).backward().
  int forwards = 1;
  // Backward calls of each loss, at least 1: all but the last keep the graph (retain_graph=True).
  int backwards = 1;
  // Losses that go backward inside ddp.no_sync() before the one that is synchronised, at least 0.
  int no_sync = 0;
  // Parameters that the loss uses directly, in this order: loss(ddp(x)) + p.sum() + ...; globs over names.
  std::vector<std::string> used_outside{};
  // Parameters that are added to the loss times zero: ... + 0.0 * (p.sum() + ...); globs over names.
  std::vector<std::string> zero_times{};
  Kind checkpoint_around = Kind::off;  // a checkpoint around the whole DDP model: checkpoint(ddp, x)
  bool set_to_none = true;             // zero_grad(set_to_none=...)

  bool operator==(const TrainingStep&) const = default;
};

struct Setup {
  Checkpointing checkpointing = Checkpointing::as_given;
  bool find_unused_parameters = false;
  bool static_graph = false;
  std::optional<double> bucket_cap_mb{};  // MiB, DistributedDataParallel's argument; empty: not set
  bool gradient_as_bucket_view = false;
  TrainingStep step{};
};

// Sizes in MiB at which DDP closes a bucket of gradients: the first one, and all others. The first is smaller only if
// bucket_cap_mb is not set.
struct BucketCaps {
  double first = 0, others = 0;
};

BucketCaps bucket_caps(const Setup& setup);

std::string_view to_string(Checkpointing checkpointing);  // "as_given", "reentrant", "non_reentrant", "off"

// The call as one would write it: "DistributedDataParallel(model, find_unused_parameters=True)".
std::string ddp_call(const Setup& setup);

}  // namespace gradscan
