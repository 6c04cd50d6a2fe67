// gradscan: what DistributedDataParallel will do with a model and its gradient checkpointing, before you launch the job.
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
// Read on, from the most general to the individual steps:
//
//     scan.h          from a file to a Report
//     report.h        what a Report holds: parameters, regions, findings, fixes
//     setup.h         how the model is trained;   verdict.h   what DDP does then
//     capture.h       one iteration of a model as plain data;   edits.h   changes to it
//     writers.h       a Report as text, HTML, SVG, ...;   files.h   writes it to a file
//     report_json.h   a Report as JSON;   read_report.h   reads it back
//     survey.h        the reports of many files
//     plan.h          which modules to checkpoint so that training fits into memory
//     compare.h       which difference between two models or setups matters
//     capture_file.h, analyse.h, replay.h, price.h, parse.h   the steps of scan()
//     error.h         what they all throw
//
// Two more steps, graph.h and firings.h, include Boost.Graph and are not included here.
#pragma once

#include "gradscan/analyse.h"
#include "gradscan/capture.h"
#include "gradscan/capture_file.h"
#include "gradscan/compare.h"
#include "gradscan/edits.h"
#include "gradscan/error.h"
#include "gradscan/files.h"
#include "gradscan/parse.h"
#include "gradscan/plan.h"
#include "gradscan/price.h"
#include "gradscan/read_report.h"
#include "gradscan/replay.h"
#include "gradscan/report.h"
#include "gradscan/report_json.h"
#include "gradscan/scan.h"
#include "gradscan/setup.h"
#include "gradscan/source_paths.h"
#include "gradscan/survey.h"
#include "gradscan/verdict.h"
#include "gradscan/version.h"
#include "gradscan/writers.h"
