// gradscan: what DistributedDataParallel will do with a model and its gradient checkpointing, before the job is launched.
//
// A tour in ten lines:
//
//     #include <gradscan/gradscan.h>
//
//     gradscan::ScanOptions options;
//     options.find_unused_parameters = true;
//     gradscan::Report report = gradscan::scan("resnet50.pt", options);
//     if (gradscan::has_conflict(report)) std::cout << gradscan::to_text(report);
//     auto* weight = gradscan::find_parameter(report, "layer4.2.bn3.weight");
//     assert(weight->firings.reentrant == 1 && weight->ready_marks.find_unused_parameters == 2);
//     gradscan::write_file("report.svg", gradscan::to_svg(report));
//
// Read on in scan.h (from a file to a report), report.h (what a report holds), setup.h (setups and verdicts), capture.h (the
// data between: one iteration of a model), writers.h (formats) and error.h. graph.h, firings.h and replay.h are the single
// steps; graph.h and firings.h include Boost.Graph and are not included here.
#pragma once

#include "gradscan/capture.h"
#include "gradscan/error.h"
#include "gradscan/replay.h"
#include "gradscan/report.h"
#include "gradscan/scan.h"
#include "gradscan/setup.h"
#include "gradscan/writers.h"
