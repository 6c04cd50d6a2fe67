// A plan for less memory, not yet replayed.
#pragma once

#include "gradscan/capture.h"
#include "gradscan/plan.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

struct Planned {
  Plan plan;          // without verdict
  Capture capture{};  // with the plan's checkpoints and no others
};

// Throws as plan_checkpoints.
Planned make_plan(const Capture& capture, const Setup& setup, const PlanRequest& request);

// Withdraws the plan if its checkpoints are what makes DDP fail, that is, if the verdict `with` them is worse than `without`
// any: it then has no modules and does not fit. What it would have needed and cost stays.
void judge(Plan& plan, Verdict with, const Verdict& without);

}  // namespace gradscan
