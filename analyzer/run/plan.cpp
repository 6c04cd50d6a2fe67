#include "gradscan/plan.h"

#include "analyzer/plan/planning.h"
#include "gradscan/replay.h"

namespace gradscan {

Plan plan_checkpoints(const Capture& capture, const Setup& setup, const PlanRequest& request) {
  Planned planned = make_plan(capture, setup, request);
  auto verdict_with = [&](Checkpointing checkpointing) {
    Setup changed = setup;
    changed.checkpointing = checkpointing;
    return replay(planned.capture, changed).verdict;
  };
  Verdict with = verdict_with(Checkpointing::as_given);
  Verdict without = with.clean() ? with : verdict_with(Checkpointing::off);
  judge(planned.plan, std::move(with), without);
  return std::move(planned.plan);
}

}  // namespace gradscan
