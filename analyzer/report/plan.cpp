#include "gradscan/plan.h"

#include "analyzer/report/planning.h"
#include "gradscan/replay.h"

namespace gradscan {

Plan plan_checkpoints(const Capture& capture, const Setup& setup, const PlanRequest& request) {
  Planned planned = make_plan(capture, setup, request);
  Setup as_planned = setup;
  as_planned.checkpointing = Checkpointing::as_given;
  planned.plan.verdict = replay(planned.capture, as_planned).verdict;
  return std::move(planned.plan);
}

}  // namespace gradscan
