// A Verdict: what DistributedDataParallel does in a Setup.
//
//     Verdict verdict = replay(capture, setup).verdict;         // gradscan/replay.h
//     if (verdict.outcome != Outcome::pass) std::cout << verdict.message;
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan {

// The number of iterations behind a verdict, or more if it takes more to play every graph that is known.
inline constexpr int replay_iterations = 4;

// The severity of a finding, a verdict or a file, worst first.
enum class Severity {
  failed,   // a file could not be scanned
  error,    // DDP or backward raises
  silent,   // nothing raises, although gradients are wrong
  unknown,  // gradscan has not seen all that training does, so it cannot judge
  note,     // for information
  clean,    // nothing is wrong
};

enum class Outcome {
  pass,                  // DDP says nothing; see Verdict::unsynchronised and Verdict::untrained for what it misses
  marked_ready_twice,    // "Expected to mark a variable ready only once"
  unfinished_reduction,  // "Expected to have finished reduction in the prior iteration"
  graph_changed,         // "Your training graph has changed"
  other,                 // another error, from DDP or from the model's own backward
};

// Why a hook fires: the backward pass that reaches its parameter. That is the inner backward of a region, for which the
// region's number stands, or one outside all regions.
class Cause {
 public:
  constexpr Cause() = default;  // the backward of the loss
  constexpr Cause(int region) : pass_(region) {}

  constexpr bool is_region() const { return pass_ >= 0; }
  constexpr int region() const { return pass_; }  // only if is_region()

  friend constexpr auto operator<=>(Cause, Cause) = default;  // those outside all regions first

 private:
  int pass_ = none;
};

inline constexpr Cause outer_graph{none};  // the backward of the loss
inline constexpr Cause around_model{-2};   // the inner backward of a reentrant checkpoint around the whole DDP model

struct Firing {
  int parameter = 0;  // DDP index
  Cause cause = outer_graph;
};

// For each DDP index, the causes of its firings, ascending.
using Causes = std::vector<std::vector<Cause>>;

// A gradient that the ranks do not share after an iteration.
struct LocalGradient {
  int parameter = 0;              // DDP index
  std::vector<int> iterations{};  // after which the ranks have different gradients, ascending
  // Causes of its firings, in the first of these iterations, that came after DDP had finished its reduction;
  // empty if its bucket was never reduced.
  std::vector<Cause> late{};
  int bucket = 0;  // the bucket in which it is reduced: position in Replay::buckets
};

// What concerns gradients (unsynchronised, local, last_mark, untrained) is empty if an error is raised.
struct Verdict {
  Setup setup{};
  Outcome outcome = Outcome::pass;
  std::optional<int> iteration{};      // the iteration (from 0) in which the error is raised; empty for pass
  std::string message{};               // DDP's complete message; empty for pass
  std::vector<int> parameters{};       // DDP indices of the parameters that the message names, in the order of the message
  std::vector<int> unsynchronised{};   // DDP indices of parameters whose gradients differ between the ranks, ascending
  std::vector<LocalGradient> local{};  // for each parameter in `unsynchronised`, ascending: when and why
  std::optional<Firing> last_mark{};   // if firings came too late: the one with which all parameters were marked
  std::vector<int> untrained{};        // DDP indices of parameters that never get a gradient other than zero, ascending
  int iterations = replay_iterations;  // the number of iterations that were to be replayed
  // How bad it is, with all that gradscan knows of the file; filled in by analyse(), not by replay().
  Severity severity = Severity::clean;

  // True if nothing is wrong: no error and no silent failure.
  bool clean() const { return outcome == Outcome::pass && unsynchronised.empty() && untrained.empty(); }
};

std::string_view to_string(Outcome outcome);  // the enumerator's name

}  // namespace gradscan
