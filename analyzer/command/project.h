// gradscan.toml: the options of a project, so that all who scan its models get the same answer.
//
//     find-unused-parameters = true
//     checkpoint = ["encoder.layers.*"]          # may be given several times: a list
//     baseline = "gradscan-baseline.json"        # paths are relative to the file's folder
//
// It stands beside the model or in a folder above; the nearest one counts. Its keys are the long names of options, without
// dashes, and stand for options in front of the command line's own.
#pragma once

#include <string>
#include <vector>

namespace gradscan {

struct Project {
  std::string file;                    // empty: there is none
  std::vector<std::string> arguments;  // "--find-unused-parameters", "--checkpoint=encoder.layers.*", ...
};

// Of the models of one run. Throws Error (usage) for a file that is no TOML, a key that is no option, a value that is none of
// the option's, and models of different projects.
Project project_of(const std::vector<std::string>& models);

}  // namespace gradscan
