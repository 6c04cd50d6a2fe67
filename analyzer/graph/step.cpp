#include "analyzer/graph/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "analyzer/graph/named_parameters.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

std::vector<int> indices_of(const Capture& capture, const std::string& option, const std::vector<std::string>& globs) {
  std::vector<int> index_of = ddp_indices(capture), result;
  for (int parameter : parameters_named(capture, option, globs))
    if (index_of[parameter] != none) result.push_back(index_of[parameter]);
  return result;
}

void check_bounds(const TrainingStep& step) {
  auto check = [](const std::string& option, int number, int least) {
    if (number < least)
      throw Error(Failure::usage, fmt::format("{} {}", option, number), "is too low", fmt::format("use at least {}", least));
  };
  check("--forwards", step.forwards, 1);
  check("--backwards", step.backwards, 1);
  check("--no-sync", step.no_sync, 0);
}

}  // namespace

bool is_floating(const std::string& dtype) {
  return dtype.find("float") != std::string::npos || dtype.find("complex") != std::string::npos;
}

bool is_recorded_by_checkpoint(const Capture& capture) {
  return std::any_of(capture.inputs.begin(), capture.inputs.end(), [](const Input& input) { return input.requires_grad; });
}

bool is_checkpoint_output(const Output& output) {
  return output.direct && is_floating(output.dtype);
}

int passed_by_checkpoint(const Capture& capture, const Output& output) {
  return output.direct || output.edge.node == none ? none : capture.nodes[output.edge.node].parameter;
}

std::vector<bool> outputs_in_backward(const Capture& capture, const TrainingStep& step) {
  bool around = step.checkpoint_around == Kind::reentrant;
  bool executed = is_recorded_by_checkpoint(capture) &&
                  std::any_of(capture.outputs.begin(), capture.outputs.end(),
                              [](const Output& output) { return output.in_loss && is_checkpoint_output(output); });
  std::vector<bool> result;
  for (const Output& output : capture.outputs)
    result.push_back(around ? executed && is_checkpoint_output(output) : output.in_loss);
  return result;
}

OutsideUses outside_uses(const Capture& capture, const TrainingStep& step) {
  check_bounds(step);
  return {indices_of(capture, "--used-outside", step.used_outside), indices_of(capture, "--zero-times", step.zero_times)};
}

}  // namespace gradscan
