// Which part of a Report its picture shows: the parameters in conflict, where each is used, and which stages are drawn in full.
//
// A use is one way in which a parameter gets (or should get) its gradient: one for each firing, or a single one that never
// fires. Stages keep their order, that of backward; those outside of regions that use no parameter are passed over.
#pragma once

#include <vector>

#include "gradscan/report.h"

namespace gradscan {

struct Use {
  int parameter = 0;  // DDP index
  int region = none;  // innermost region that uses it here; none: used outside of all regions
  int cause = none;   // what fires it: a region, or less than 0, see firings.h
  int number = 0;     // the how-manieth firing in the order of backward, from 1; 0: never fires
};

struct Segment {
  int first = 0, last = 0;  // stages, both included
  bool full = false;        // drawn in full: a single stage with its parameters in conflict
};

struct Selection {
  std::vector<Stage> stages;  // the report's that are shown; the last may be that of parameters which no stage uses
  bool last_is_unreached = false;
  std::vector<int> finding;            // for each DDP index its finding (not a note), or none: not in conflict
  std::vector<int> named;              // the parameters that the verdict names, the title's first
  std::vector<std::vector<Use>> uses;  // for each stage, of the parameters in conflict
  std::vector<Segment> segments;       // all stages, in order

  bool in_conflict(int parameter) const { return finding[parameter] != none; }
};

Selection select(const Report& report);

// The region itself and the regions around it, outermost first; empty for none.
std::vector<int> enclosing_regions(const Report& report, int region);

}  // namespace gradscan
