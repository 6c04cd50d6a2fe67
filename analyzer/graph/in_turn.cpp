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

void check_then(const Capture& first, const Capture& capture, const std::string& then) {
  if (!of_one_model(first, capture))
    throw Error(Failure::usage, "--then " + then, fmt::format("its parameters differ from those of {}", first.model),
                "pass files of one model, made with different inputs");
}

}  // namespace gradscan
