// A plan for less memory, but for its replay.
#pragma once

#include "gradscan/capture.h"
#include "gradscan/plan.h"
#include "gradscan/setup.h"

namespace gradscan {

struct Planned {
  Plan plan;        // without verdict
  Capture capture;  // with the plan's checkpoints and no others
};

// Throws as plan_checkpoints.
Planned make_plan(const Capture& capture, const Setup& setup, const PlanRequest& request);

}  // namespace gradscan
