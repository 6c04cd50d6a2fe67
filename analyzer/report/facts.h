// From plain results to the facts of a Report: everything except its findings, fixes and prices.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "analyzer/graph/predict.h"
#include "gradscan/capture.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// What only torch knows.
struct Replays {
  std::string torch;                      // version
  Verdict verdict;                        // of the requested setup
  std::vector<std::vector<int>> buckets;  // likewise
  std::vector<Verdict> verdicts;          // of setups_to_compare(), in that order
};

// Counted from the graphs; `off` equals non_reentrant, whose regions are transparent too.
struct Predictions {
  Prediction asked, as_given, reentrant, non_reentrant;
};

// The kinds of the regions in any of the captures.
std::set<Kind> kinds_in(std::span<const Capture> in_turn);

// Rows of the table: as_given if the file mixes kinds, then reentrant, non_reentrant and off, each with DDP's defaults, with
// find_unused_parameters and with static_graph; everything else as requested.
std::vector<Setup> setups_to_compare(std::span<const Capture> in_turn, const Setup& asked);

// `in_turn`: see replay.h; the report is about the graph of the first.
Report facts_of(std::span<const Capture> in_turn, const Setup& setup, const Predictions& predictions, Replays replays);

}  // namespace gradscan
