// Runs gradscan as a user does.
#pragma once

#include <string>
#include <vector>

namespace gradscan::tests {

using Strings = std::vector<std::string>;

inline Strings operator+(Strings arguments, const Strings& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

struct Finished {
  int exit_code = 0;  // of the shell: 128 and the signal's number if a signal has ended the program
  std::string out, err;
};

// Runs the gradscan that this build has made, in `folder`. `redirections` is added to the shell's command line behind the
// arguments: "| head -c 10", ">/dev/full". `environment` has variables to set for gradscan, as NAME=VALUE.
Finished run_gradscan(const std::string& folder, const Strings& arguments, const std::string& redirections = "",
                      const Strings& environment = {});

}  // namespace gradscan::tests
