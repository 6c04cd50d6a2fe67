// What the real DistributedDataParallel does with the models in training of tests/truth/cases.py, as tests/truth/measure.py has
// measured it, against what gradscan says of them. Tests run in the project's root folder.
#pragma once

#include <map>
#include <string>

#include "tests/capture_text.h"

namespace gradscan::tests {

// The models as captures, by name: tests/truth/ddp_cases.txt.
std::map<std::string, Training> truth_cases();

// Compares every row of tests/truth/ddp_rows.json with what gradscan says of the case of its name (all must be there), with
// CHECK, and the engine's firings with the predicted ones, and prints how many rows were compared and how many were equal.
// Messages are compared if the table was measured with this version of torch.
void check_verdicts(const std::map<std::string, Training>& cases);  // replay() against DistributedDataParallel
void check_firings(const std::map<std::string, Training>& cases);   // run_engine() against hooks without it

}  // namespace gradscan::tests
