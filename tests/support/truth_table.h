// What the real DistributedDataParallel does with the models in training of tests/truth/cases.py, as tests/truth/measure.py has
// measured it, against what gradscan says of them. Tests run in the project's root folder.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "gradscan/report.h"
#include "gradscan/setup.h"
#include "tests/support/truth_cases.h"

namespace gradscan::tests {

// Compares every row of tests/truth/ddp_rows.json with what gradscan says of the case of its name (all must be there), with
// CHECK, and the engine's firings with the predicted ones, and prints how many rows were compared and how many were equal.
// Messages are compared if the table was measured with this version of torch.
void check_verdicts(const std::map<std::string, Training>& cases);  // replay() against DistributedDataParallel
void check_edits(const std::map<std::string, Training>& cases);     // the same of edited models: tests/truth/edit_rows.json
void check_firings(const std::map<std::string, Training>& cases);   // run_engine() against hooks without it

// The same of reports, of those rows that they have: one flag or none, default options.
using ReportOf = std::function<Report(const std::string& name, const TrainingStep& step)>;
void check_reports(const std::map<std::string, Training>& cases, const ReportOf& report_of);

}  // namespace gradscan::tests
