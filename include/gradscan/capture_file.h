// From a file to a Capture.
//
//     Capture capture = capture_file("resnet50.pt", {.checkpoint = {parse_checkpoint_pattern("layer4.*")}});
//
// A model file is run (its forward, once, on the CPU): loading it executes code from the file, and a damaged file can crash
// LibTorch and the process with it. The command line therefore calls this in a child process. A file whose name ends in
// ".capture.json" is only read.
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"

namespace gradscan {

struct CaptureOptions {
  std::vector<CheckpointPattern> checkpoint{};  // later patterns win
  std::vector<Input> inputs{};                  // for forward's arguments of these names, overriding the file
  std::vector<std::string> loss{};    // paths of the outputs that the loss is computed from ("output[0]"); empty: what the
                                      // file says, else every floating-point output that requires grad
  std::vector<std::string> hidden{};  // paths of outputs that the training script's model returns inside an object in
                                      // which DDP finds no tensors
  bool every_module = false;          // make the calls of all modules regions too, of kind off, see plan.h; a saved
                                      // capture keeps the regions that it was made with

  bool operator==(const CaptureOptions&) const = default;
};

// Throws Error for anything that is wrong with the file, the options or the model.
Capture capture_file(const std::string& path, const CaptureOptions& options = {});

}  // namespace gradscan
