// A Survey: the results of one run over one or several files, as plain data. What is written for many files is a rendering of
// it.
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
  std::optional<Report> report{};  // empty: it could not be scanned
  std::string error{};             // then why, in one line
  int exit_code = 0;               // that a run over this file alone would end with
};

struct Survey {
  std::vector<Scanned> files{};  // in the order in which they were given
};

// The worst of the files': an error in a file weighs more than a conflict in a model, and the greater number is the worse.
int exit_code(const Survey& survey);

// Positions in survey.files, worst first: files that could not be scanned, DDP's errors, silent failures, clean ones; equals in
// the order in which they were given.
std::vector<int> worst_first(const Survey& survey);

}  // namespace gradscan
