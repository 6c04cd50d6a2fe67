// A plan for less memory, but for its replay.
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

// Takes the plan back, which then has no modules and does not fit, where they are what makes DDP fail: its verdict `with` them
// is worse than `without` any. What it would need and cost stays.
void judge(Plan& plan, Verdict with, const Verdict& without);

}  // namespace gradscan
