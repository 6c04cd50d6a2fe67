#include "tests/support/run_program.h"

#include <sys/wait.h>

#include <cstdlib>

#include "tests/support/temporary_folder.h"

namespace gradscan::tests {
namespace {

std::string shell_word(const std::string& argument) {
  std::string text = "'";
  for (char byte : argument) text += byte == '\'' ? "'\\''" : std::string(1, byte);
  return text + "'";
}

}  // namespace

Finished run_gradscan(const std::string& folder, const std::vector<std::string>& arguments, const std::string& redirections,
                      const std::vector<std::string>& environment) {
  TemporaryFolder streams;
  std::string command = "set -o pipefail; cd " + shell_word(folder) + " && { env";
  for (const std::string& variable : environment) command += " " + shell_word(variable);
  command += " " + shell_word(GRADSCAN_PROGRAM);
  for (const std::string& argument : arguments) command += " " + shell_word(argument);
  command +=
      " " + redirections + "; } </dev/null >" + shell_word(streams.path("out")) + " 2>" + shell_word(streams.path("err"));
  int status = std::system(("bash -c " + shell_word(command)).c_str());
  return {WEXITSTATUS(status), streams.read("out"), streams.read("err")};
}

}  // namespace gradscan::tests
