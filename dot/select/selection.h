// Which part of a Report its picture shows: the parameters in conflict, where each is used, and which stages are drawn in full.
//
// A use is one way in which a parameter gets (or should get) its gradient: one for each cause of firings, or a single one that
// never fires. Stages keep their order, that of backward; those outside of regions that use no parameter are passed over.
//
// Three ways to choose, all of them bounded, so that no picture grows with the model:
//   - the conflict: the stages that use the parameter of the title in full, and one stage for every other kind of conflict;
//     neighbours that say the same are folded. At most 20 boxes and stages from top to bottom, 6 of them in full;
//   - around a focus: its stages in full, those within `radius` edges each by itself, and all others folded as far as they
//   stand
//     together. At most 60, 6 in full;
//   - the whole: every stage in conflict in full and every other by itself. At most 150, 40 in full.
// Where this is too much, neighbours are folded: first those of one module path that say the same, then all that say the same,
// at last all.
#pragma once

#include <vector>

#include "dot/select/focus.h"
#include "gradscan/report.h"
#include "gradscan/writers.h"

namespace gradscan {

struct Use {
  int parameter = 0;  // DDP index
  int region = none;  // innermost region that uses it here; none: used outside of all regions
  int cause = none;   // what fires it: a region, or less than 0, see firings.h
  int number = 0;     // the how-manieth firing in the order of backward, from 1; 0: never fires
  int last = 0;       // the same, of the last one by the same cause: a region may fire a parameter for each of several forwards
};

struct Segment {
  int first = 0, last = 0;  // stages, both included
  bool full = false;        // drawn in full: a single stage with its parameters in conflict
};

struct Selection {
  std::vector<Stage> stages;  // the report's that are shown; the last may be that of parameters which no stage uses
  std::vector<int> position;  // of each in Report::stages; none for that last one
  bool last_is_unreached = false;
  std::vector<int> finding;  // for each DDP index its finding (not a note), or none: not in conflict
  std::vector<int> named;    // the parameters that the verdict names, the title's first
  Focus focus;
  std::vector<std::vector<Use>> uses;  // for each stage, of the parameters in conflict or in focus
  std::vector<Segment> segments;       // all stages, in order

  bool in_conflict(int parameter) const { return finding[parameter] != none; }
};

// Throws Error (usage) if there is no such focus.
Selection select(const Report& report, const PictureOptions& options);

// The region itself and the regions around it, outermost first; empty for none.
std::vector<int> enclosing_regions(const Report& report, int region);

}  // namespace gradscan
