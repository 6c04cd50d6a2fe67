// The ids of a page, which are its deep links.
//
// A parameter's id is its name: report.html#layer4.2.bn3.weight. Ids of everything else have a '=':
// setup=reentrant,static_graph. A name that cannot be an id (it has a space or a '=', or another parameter has it) is replaced
// by parameter=157. Where a page is about several files, the number of the file (from 1, in the order in which they were given)
// stands before: 2/fc.bias.
#pragma once

#include <set>
#include <string>

#include "gradscan/report.h"

namespace gradscan::page {

class Anchors {
 public:
  // `file` is the file's number, 0 if it is the only one.
  Anchors(const Report& report, int file);

  std::string parameter(int index) const;
  std::string region(int id) const;
  std::string setup(const Setup& setup) const;    // a row of Report::verdicts
  std::string of(const std::string& what) const;  // "section=fixes"

 private:
  const Report& report_;
  std::string prefix_;
  std::set<int> unnamed_;  // parameters whose name cannot be an id
};

// "2/", or nothing for the only file.
std::string file_prefix(int file);

}  // namespace gradscan::page
