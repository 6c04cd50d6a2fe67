#include "gradscan/plan.h"

#include <algorithm>

#include "analyzer/diagnose/findings.h"
#include "analyzer/graph/observed.h"
#include "analyzer/plan/planning.h"
#include "analyzer/run/analyse.h"

namespace gradscan {
namespace {

// All graphs with the plan's checkpoints and no others.
std::vector<Capture> graphs_with(const Planned& planned) {
  std::vector<Capture> graphs = graphs_of(planned.capture);
  const std::vector<std::string>& modules = planned.plan.modules;
  for (std::size_t further = 1; further < graphs.size(); ++further)
    for (Region& region : graphs[further].regions)
      region.kind = std::ranges::find(modules, region.name) == modules.end() ? Kind::off : Kind::non_reentrant;
  return graphs;
}

}  // namespace

Plan plan_checkpoints(const Capture& capture, const Setup& setup, const PlanRequest& request) {
  Capture changed = capture;
  settle_observation(changed);
  Planned planned = make_plan(changed, setup, request);
  const std::vector<Capture> graphs = graphs_with(planned);
  auto report_with = [&](Checkpointing checkpointing) {
    Setup asked = setup;
    asked.checkpointing = checkpointing;
    return report_of_one(graphs, asked);
  };
  Report with = report_with(Checkpointing::as_given);
  planned.plan.doubts = found_besides_replay(with);
  Verdict without = with.verdict.clean() ? with.verdict : report_with(Checkpointing::off).verdict;
  judge(planned.plan, std::move(with.verdict), without);
  return std::move(planned.plan);
}

}  // namespace gradscan
