// From a TorchScript file to a model that can be run for a capture, and what the file says about itself.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/capture/stated_parameters.h"
#include "gradscan/capture.h"

namespace gradscan {

// A module object and its first path: "layer4.2".
struct NamedModule {
  std::string path;
  torch::jit::Module module;
};

// Whether the module is torch's CheckpointWrapper, each of whose calls is a checkpoint region.
bool is_checkpoint_wrapper(const torch::jit::Module& module);

// An input as described in gradscan.json.
struct StatedInput : Input {
  std::int64_t low = 0, high = 1;                     // the ends of its range, if it has integers
  std::optional<std::vector<std::int64_t>> values{};  // its integers, in the order of a contiguous tensor
};

// As Capture::observed, of the file as it is, with names of parameters.
struct StatedObservation {
  std::vector<std::pair<std::string, int>> firings;  // parameter and pass
  std::string reason, error;
};

// As those of a Region; empty if there is no difference.
struct StatedRecomputation {
  std::string difference;
  Mismatch mismatch = Mismatch::unknown;
};

// gradscan.json, which gradscan.export stores in the file; see docs/markers.md. Without it, everything is empty.
struct Metadata {
  std::string torch;  // version that wrote the file
  ExportedSetup exported;
  bool regions_known = false;               // there are markers for all regions that forward executes
  std::vector<StatedParameter> parameters;  // in the original module's order
  std::vector<StatedInput> inputs;          // by name; paths like "x[0]" for tensors inside an argument
  std::vector<Output> outputs;              // their places, in the order of the tensors in forward's result
  std::vector<std::string> loss;            // paths of the outputs that the loss is computed from; empty: not stated
  bool loss_guessed = false;                // as Capture::loss_guessed
  std::vector<std::string> notes;
  std::vector<std::string> dropping, varying, ended;  // as those of Capture
  std::optional<StatedObservation> observed;
  std::vector<StatedRecomputation> recomputations;  // of the regions with markers, in the order in which forward executes them
};

struct Model {
  torch::jit::Module module;
  std::vector<NamedModule> modules;   // each object once, in named_modules() order: parents first
  std::vector<Parameter> parameters;  // as Capture::parameters
  std::vector<at::Tensor> tensors;    // of `parameters`
  Metadata metadata;
  // forward's arguments when it was traced; their shapes and dtypes are true, their values are not.
  std::optional<std::vector<c10::IValue>> traced_inputs;
};

// Loads the model on the CPU, whatever device it was saved on, and in training mode. Throws Error: not_a_model if the file does
// not contain a trainable model, model_failed if torch cannot load it.
Model load_model(const std::string& path);

}  // namespace gradscan
