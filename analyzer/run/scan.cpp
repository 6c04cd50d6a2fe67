#include "analyzer/run/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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
    throw Error(Failure::usage, "--input " + options.inputs.front().name, "a saved capture already has its inputs",
                "scan the model itself to use other inputs");
  Capture capture = read_capture(path);
  std::vector<Capture*> graphs{&capture};
  for (Capture& further : capture.further) graphs.push_back(&further);
  apply_patterns(graphs, options.checkpoint);
  if (!options.loss.empty()) choose_loss(graphs, options.loss);
  hide_outputs(graphs, options.hidden);
  return capture;
}

Report with_fix(std::span<const Capture> in_turn, const Report& report, int number, const AnalyseOptions& options) {
  if (number > static_cast<int>(report.fixes.size()))
    throw Error(Failure::usage, "--fix " + std::to_string(number),
                report.fixes.empty() ? "no fix is needed or known"
                                     : fmt::format("the report has fixes 1 to {} only", report.fixes.size()),
                "look at the report without --fix");
  const Fix& fix = report.fixes[number - 1];
  return analyse(edited(in_turn, fix.edits), fix.setup, options);
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

std::vector<Capture> captures_in_turn(const std::string& path, const ScanOptions& options, const CaptureFile& capture) {
  std::vector<Capture> in_turn = graphs_of(capture(path, options));
  for (const std::string& then : options.then) {
    std::vector<Capture> graphs = graphs_of(capture(then, options));
    check_then(in_turn.front(), graphs.front(), then);
    std::ranges::move(graphs, std::back_inserter(in_turn));
  }
  return in_turn;
}

Report report_on(std::span<const Capture> in_turn, const ScanOptions& options, std::optional<int> fix) {
  std::vector<Capture> asked = edited(in_turn, options.edits);
  Report report = analyse(asked, resolve_setup(asked.front(), options), options.analyse);
  return fix ? with_fix(asked, report, *fix, options.analyse) : report;
}

Report scan(const std::string& path, const ScanOptions& options) {
  return report_on(captures_in_turn(path, options, capture_file), options);
}

}  // namespace gradscan
