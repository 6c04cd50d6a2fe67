// Replay: the captured topology, run again over one-element tensors on torch's real autograd engine and, for a Verdict, with
// the real c10d::Reducer, called in the order in which Python's DistributedDataParallel calls it.
//
//     Replay run = replay(capture, Setup{.find_unused_parameters = true});
//     run.verdict.message;                 // "Expected to mark a variable ready only once. ..."
//
// The cost depends on the number of nodes and parameters, not on the model's width. Four iterations of Setup::step run in one
// process; a local backend takes the place of a second rank whose backward yields only zeros.
//
// A model whose graph changes from one forward to the next (a branch, a dropped layer) is described by several captures, one
// for each graph: what graphs_of() returns for a capture, or for several, one after the other. Forward calls play them in the
// order of Capture::turns, over and over; there are as many iterations as it takes to play them all, and one more. Causes
// number the regions of all captures consecutively.
//
//     std::vector<Capture> in_turn{with_branch_a, with_branch_b};
//     replay(in_turn, Setup{.static_graph = true}).verdict.outcome;      // unfinished_reduction
//
// Checkpointing::non_reentrant and off give the same Replay, except for verdict.setup: a non-reentrant region records the same
// graph as forward does without it, and the graph of its recomputation is never run backward. If you need both, copy one.
//
// Threads: several replays may run at the same time. Throws Error: internal for a bug in gradscan; usage if the captures in
// turn do not have the same parameters or lack further graphs, or if the step makes no sense: a number that is out of bounds, a
// glob that matches no parameter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// One iteration on the real engine, without DDP.
struct EngineRun {
  Causes causes;        // like Firings::causes; up to the error, if there is one
  std::string error{};  // torch's message if backward failed, else empty
};

EngineRun run_engine(const Capture& capture, Checkpointing checkpointing, const TrainingStep& step = {});
EngineRun run_engine(std::span<const Capture> in_turn, Checkpointing checkpointing, const TrainingStep& step = {});

struct Replay {
  Verdict verdict{};
  // For each iteration whose backward finished and for each DDP index, the causes of its firings.
  std::vector<Causes> causes{};
  // DDP indices in each bucket of the gradients' all-reduce, with the parameters' real sizes and setup.bucket_cap_mb: after the
  // rebuild that follows iteration 0, if there is one.
  std::vector<std::vector<int>> buckets{};
};

Replay replay(const Capture& capture, const Setup& setup);
Replay replay(std::span<const Capture> in_turn, const Setup& setup);

}  // namespace gradscan
