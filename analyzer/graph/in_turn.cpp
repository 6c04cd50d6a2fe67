#include "analyzer/graph/in_turn.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradscan/error.h"

namespace gradscan {
namespace {

bool same_parameter(const Parameter& left, const Parameter& right) {
  return left.name == right.name && left.shape == right.shape && left.requires_grad == right.requires_grad;
}

}  // namespace

bool of_one_model(const Capture& left, const Capture& right) {
  return std::ranges::equal(left.parameters, right.parameters, same_parameter);
}

void check_then(std::span<const Capture> in_turn, const std::vector<std::string>& then) {
  const Capture& first = in_turn.front();
  for (std::size_t k = 0; k < then.size(); ++k)
    if (!of_one_model(first, in_turn[k + 1]))
      throw Error(Failure::usage, "--then " + then[k], fmt::format("its parameters differ from those of {}", first.model),
                  "pass files of one model, made with different inputs");
}

}  // namespace gradscan
