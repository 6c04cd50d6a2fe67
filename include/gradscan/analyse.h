// From a Capture to a Report.
//
//     Report report = analyse(read_capture("model.capture.json"), {.find_unused_parameters = true});
//     if (has_conflict(report)) std::cout << to_text(report);                  // gradscan/writers.h
#pragma once

#include <span>

#include "gradscan/capture.h"
#include "gradscan/price.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"

namespace gradscan {

// What analyse() finds out in addition.
struct AnalyseOptions : PriceOptions {
  bool every_setup = false;  // fill Report::setups

  bool operator==(const AnalyseOptions&) const = default;
};

// Counts, replays, checks that the two agree (throws Error (internal) if not: a bug in gradscan), and explains. Further graphs
// of the capture are played in turn.
Report analyse(const Capture& capture, const Setup& setup, const AnalyseOptions& options = {});

// The same for a model whose graph changes, given as several captures that forward calls play in turn (see replay.h). What the
// report says about uses of parameters, outputs and stages holds for the graph of the first.
Report analyse(std::span<const Capture> in_turn, const Setup& setup, const AnalyseOptions& options = {});

}  // namespace gradscan
