// The ids in a page, which serve as deep links.
//
// The id of a parameter is its name: report.html#layer4.2.bn3.weight. All other ids contain a '=':
// setup=reentrant,static_graph. A name that cannot be an id (it has a space or a '=', or is not unique) is replaced by
// parameter=157. In a page about several files, ids start with the number of the file (from 1, in the given order): 2/fc.bias.
#pragma once

#include <set>
#include <string>

#include "gradscan/report.h"

namespace gradscan::page {

class Anchors {
 public:
  // `file` is the number of the file, 0 if it is the only one.
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

// "2/"; empty for the only file.
std::string file_prefix(int file);

}  // namespace gradscan::page
