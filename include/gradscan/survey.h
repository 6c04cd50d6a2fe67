// A Survey: the results of one run over one or several files, as plain data. Every output for many files is a rendering of it.
//
//     Survey survey{{{.path = "a.pt", .report = scan("a.pt")}}};
//     std::cout << to_sarif(survey);                                     // gradscan/writers.h
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

struct Scanned {
  std::string path{};              // as it was given
  std::optional<Report> report{};  // empty if the file could not be scanned
  std::string error{};             // then the reason, in one line
  int exit_code = 0;               // of a run over this file alone
};

struct Survey {
  std::vector<Scanned> files{};  // in the given order
};

// The worst of the files' exit codes: the greatest, so an error in a file outweighs a conflict in a model.
int exit_code(const Survey& survey);

// Positions in survey.files, worst first: files that could not be scanned, errors, silent failures, unknown, clean files; ties
// in the given order.
std::vector<int> worst_first(const Survey& survey);

}  // namespace gradscan
