#include "gradscan/scan.h"

#include <string_view>

#include "analyzer/capture/capture_model.h"
#include "analyzer/capture/loss.h"
#include "analyzer/graph/edits.h"
#include "analyzer/graph/in_turn.h"
#include "analyzer/graph/patterns.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

Capture saved_capture(const std::string& path, const CaptureOptions& options) {
  if (!options.inputs.empty())
    throw Error(Failure::usage, "--input " + options.inputs.front().name, "a saved capture has been made with its inputs",
                "give the model itself to use other ones");
  Capture capture = read_capture(path);
  apply_patterns(capture, options.checkpoint);
  if (!options.loss.empty()) choose_loss(capture, options.loss);
  hide_outputs(capture, options.hidden);
  return capture;
}

}  // namespace

Capture capture_file(const std::string& path, const CaptureOptions& options) {
  return path.ends_with(".capture.json") ? saved_capture(path, options) : capture_model(path, options);
}

Setup resolve_setup(const Capture& capture, const ScanOptions& options) {
  const ExportedSetup& file = capture.exported;
  Setup setup;
  setup.checkpointing = options.checkpointing.value_or(Checkpointing::as_given);
  setup.find_unused_parameters = options.find_unused_parameters.value_or(file.find_unused_parameters);
  setup.static_graph = options.static_graph.value_or(file.static_graph);
  setup.bucket_cap_mb = options.bucket_cap_mb ? options.bucket_cap_mb : file.bucket_cap_mb;
  setup.gradient_as_bucket_view = options.gradient_as_bucket_view.value_or(file.gradient_as_bucket_view);
  setup.step = options.step;
  return setup;
}

Report scan(const std::string& path, const ScanOptions& options) {
  std::vector<Capture> in_turn{capture_file(path, options)};
  for (const std::string& further : options.then) in_turn.push_back(capture_file(further, options));
  check_then(in_turn, options.then);
  in_turn = edited(in_turn, options.edits);
  return analyse(in_turn, resolve_setup(in_turn.front(), options), options.analyse);
}

}  // namespace gradscan
