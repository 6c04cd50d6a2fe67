// A Plan: which module calls to checkpoint so that training fits into the available memory with the least recomputation.
//
//     Capture capture = capture_file("model.pt", {.every_module = true});
//     Plan plan = plan_checkpoints(capture, setup, {.budget = 8LL << 30, .optimizer = Optimizer::adam});
//     for (const std::string& module : plan.modules) std::cout << module << '\n';
//
// A choice is a set of module calls, none of which lies inside another. Its memory is the sum of fixed_memory() and
// Price::peak(). The plan consists of non-reentrant checkpoints, which leave the graph as it is, and is offered only if its
// replay in the setup is as clean as without them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/price.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

struct PlanRequest {
  std::int64_t budget = 0;  // bytes, for everything that Plan::needed counts
  std::optional<std::int64_t> batch{};
  std::optional<Optimizer> optimizer{};
};

// Another way to need less memory, priced for comparison.
struct Alternative {
  std::string change{};     // "half the batch, two backwards (no_sync)", "autocast to bfloat16"
  std::int64_t needed = 0;  // bytes, without any checkpoint
  std::string caveat{};     // what the figure assumes
};

struct Plan {
  std::vector<std::string> modules{};  // paths of the modules to checkpoint, in the order of forward; may be empty
  bool fits = false;                   // whether they suffice; if not, `modules` is the choice that needs the least memory
  std::int64_t budget = 0;             // bytes
  std::int64_t needed = 0;             // bytes with the plan: fixed memory and the peak of activations
  std::int64_t needed_without = 0;     // bytes with no checkpoint at all
  std::int64_t needed_as_given = 0;    // bytes as the file is
  Price price{};
  FixedMemory fixed{};
  Verdict verdict{};                  // of the replay with the plan
  std::vector<std::string> doubts{};  // what is wrong or not known of the model besides, with the plan: titles of findings
  std::string options{};  // what to add to gradscan's command line to scan it: "--checkpoint 'layer4.2=non-reentrant'"
  std::vector<Alternative> alternatives{};

  // Whether nothing is known to be wrong with the plan.
  bool clean() const { return verdict.clean() && doubts.empty(); }
};

// `capture` must be made with CaptureOptions::every_module. Throws Error (usage) if it has no module calls to choose from.
Plan plan_checkpoints(const Capture& capture, const Setup& setup, const PlanRequest& request);

}  // namespace gradscan
