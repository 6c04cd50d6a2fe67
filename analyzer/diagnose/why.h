// The sentences that say why: one cause after another, with the names of the model at hand.
#pragma once

#include <string>
#include <vector>

#include "analyzer/diagnose/groups.h"
#include "gradscan/report.h"

namespace gradscan {

// Explains at most three causes, those with the most parameters.
std::string explain_causes(const Report& report, const std::vector<ExplainedGroup>& groups);

// "layer4.2.bn3.weight (index 157)", "first.weight (index 0, also called last.weight)"
std::string with_index(const ParameterReport& parameter);

// "l2.weight (index 2) and l2.bias (index 3)", "156 parameters"; never empty
std::string parameters_in_words(const Report& report, const std::vector<int>& parameters);

}  // namespace gradscan
