// Groups parameters to which the same thing happens, by cause and by region or module, and folds equal neighbours
// ("layer3.1 … layer3.5"). Linear in the parameters (and their names), except for sorting.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analyzer/diagnose/causes.h"
#include "gradscan/report.h"

namespace gradscan {

struct ExplainedGroup {
  Diagnosis diagnosis;  // of a folded group: of the first of its neighbours, with all their regions
  Group group;
};

// "2 firings, 1 ready mark"; empty if the group does not say.
std::string numbers_in_words(const Group& group);

using Diagnose = std::function<Diagnosis(const Report&, const ParameterReport&)>;

// `parameters` are DDP indices, ascending. The group of `named`, the parameter in DDP's message (or none), comes first and is
// never folded; the others follow in backward order, last index first.
std::vector<ExplainedGroup> group(const Report& report, const std::vector<int>& parameters, int named,
                                  const Diagnose& diagnose);

}  // namespace gradscan
