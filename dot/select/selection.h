// Which part of a Report its picture shows: the parameters in conflict, where each is used, and which stages are drawn in full.
//
// A use is one way in which a parameter gets, or should get, its gradient: one for each cause of firings, or a single use that
// never fires. Stages stay in the order of backward; stages outside regions that use no parameter are skipped.
//
// There are three ways to choose, all of them bounded, so that the picture does not grow with the model:
//   - the conflict: in full, the stages that use the parameter in the title, and one stage for every other kind of conflict.
//     Neighbours that say the same are folded. At most 20 boxes and stages from top to bottom, 6 of them in full.
//   - around a focus: its stages in full, each stage within `radius` edges by itself, all other neighbours folded. At most 60
//     boxes and stages, 6 in full.
//   - the whole model: every stage in conflict in full, every other stage by itself. At most 150 boxes and stages, 40 in full.
// If that is too much, neighbours are folded: first those of one module path that say the same, then all that say the same,
// finally all.
#pragma once

#include <vector>

#include "dot/select/focus.h"
#include "gradscan/report.h"
#include "gradscan/writers.h"

namespace gradscan {

struct Use {
  int parameter = 0;          // DDP index
  int region = none;          // innermost region that uses it here; none: used outside all regions
  Cause cause = outer_graph;  // what fires it
  int number = 0;             // which of its firings this is, in the order of backward, from 1; 0: never fires
  int last = 0;               // the last one with the same cause: a region may fire a parameter for each of several forwards
};

struct Segment {
  int first = 0, last = 0;  // stages, both included
  bool full = false;        // drawn in full: a single stage with its parameters in conflict
};

struct Selection {
  std::vector<Stage> stages;  // those of the report that are shown; the last may hold parameters that no stage uses
  std::vector<int> position;  // of each in Report::stages; none for that last stage
  bool last_is_unreached = false;
  std::vector<int> finding;  // for each DDP index, its finding (not a note); none: not in conflict
  std::vector<int> named;    // the parameters that the verdict names; the first is in the title
  Focus focus;
  std::vector<std::vector<Use>> uses;  // for each stage, the uses of parameters in conflict or in focus
  std::vector<Segment> segments;       // all stages, in order

  bool in_conflict(int parameter) const { return finding[parameter] != none; }
};

// Throws Error (usage) if there is no such focus.
Selection select(const Report& report, const PictureOptions& options);

// The region and those around it, outermost first; empty for none.
std::vector<int> enclosing_regions(const Report& report, int region);

}  // namespace gradscan
