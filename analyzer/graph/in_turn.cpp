#include "analyzer/graph/in_turn.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gradscan/error.h"
#include "gradscan/verdict.h"

namespace gradscan {
namespace {

bool same_parameter(const Parameter& left, const Parameter& right) {
  return left.name == right.name && left.shape == right.shape && left.requires_grad == right.requires_grad &&
         left.ignored == right.ignored;
}

// Whether some beginning of the list, at most half of it, is repeated throughout.
bool repeats(const std::vector<int>& turns) {
  for (std::size_t period = 1; 2 * period <= turns.size(); ++period)
    if (std::equal(turns.begin() + static_cast<std::ptrdiff_t>(period), turns.end(), turns.begin())) return true;
  return false;
}

}  // namespace

bool of_one_model(const Capture& left, const Capture& right) {
  return std::ranges::equal(left.parameters, right.parameters, same_parameter);
}

void check_then(const Capture& first, const Capture& capture, const std::string& then) {
  if (!of_one_model(first, capture))
    throw Error(Failure::usage, "--then " + then, fmt::format("its parameters differ from those of {}", first.model),
                "pass files of one model, made with different inputs");
}

std::vector<int> turns_of(std::span<const Capture> in_turn) {
  std::vector<int> turns;
  for (std::size_t first = 0; first < in_turn.size(); first += in_turn[first].further.size() + 1) {
    const Capture& file = in_turn[first];
    if (first + file.further.size() >= in_turn.size())
      throw Error(Failure::usage, file.model, "its further graphs are missing", "pass what graphs_of() returns");
    std::vector<int> of_file = file.turns;
    if (of_file.empty())
      for (std::size_t graph = 0; graph <= file.further.size(); ++graph) of_file.push_back(static_cast<int>(graph));
    for (int graph : of_file) turns.push_back(static_cast<int>(first) + graph);
  }
  return turns;
}

int iterations_for(const std::vector<int>& turns, const TrainingStep& step) {
  const std::size_t calls = static_cast<std::size_t>(step.forwards) * (step.no_sync + 1);  // in an iteration
  return std::max(replay_iterations, static_cast<int>(turns.size() / std::gcd(turns.size(), calls)) + 1);
}

bool is_order_known(std::span<const Capture> in_turn, const TrainingStep& step) {
  if (step.forwards == 1 && step.no_sync == 0) return true;
  return std::ranges::all_of(in_turn, [](const Capture& capture) { return capture.further.empty() || repeats(capture.turns); });
}

}  // namespace gradscan
