// Start here: from a file to a Report.
//
//     ScanOptions options;
//     options.find_unused_parameters = true;
//     Report report = scan("resnet50.pt", options);
//
// A model file is run (its forward, once, on the CPU): loading it executes code from the file, and a damaged file can crash
// LibTorch and the process with it. The command line therefore runs capture_file() in a child process. A file whose name ends
// in ".capture.json" is only read.
//
// Throws Error for anything that is wrong with the file, the options or the model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradscan/analyse.h"
#include "gradscan/capture.h"
#include "gradscan/capture_file.h"
#include "gradscan/edits.h"
#include "gradscan/report.h"
#include "gradscan/setup.h"

namespace gradscan {

// The requested setup. What is left open comes from the file's own setup (gradscan.export writes it), else from the defaults of
// DistributedDataParallel.
struct ScanOptions : CaptureOptions {
  std::optional<Checkpointing> checkpointing{};
  std::optional<bool> find_unused_parameters{};
  std::optional<bool> static_graph{};
  std::optional<double> bucket_cap_mb{};  // MiB
  std::optional<bool> gradient_as_bucket_view{};
  TrainingStep step{};
  Edits edits{};  // of the captures; its `checkpoint` applies in addition to that of CaptureOptions
  AnalyseOptions analyse{};
  std::vector<std::string> then{};  // more files of the same model, whose graphs forward calls play in turn after the first
                                    // (see replay.h)

  bool operator==(const ScanOptions&) const = default;
};

Setup resolve_setup(const Capture& capture, const ScanOptions& options);
Report scan(const std::string& path, const ScanOptions& options = {});

}  // namespace gradscan
