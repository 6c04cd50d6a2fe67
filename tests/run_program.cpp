#include "tests/run_program.h"

#include <sys/wait.h>

#include <cstdlib>

#include "tests/temporary_folder.h"

namespace gradscan::tests {
namespace {

std::string quoted(const std::string& argument) {
  std::string text = "'";
  for (char byte : argument) text += byte == '\'' ? "'\\''" : std::string(1, byte);
  return text + "'";
}

}  // namespace

Finished run_gradscan(const std::string& folder, const std::vector<std::string>& arguments, const std::string& redirections) {
  TemporaryFolder streams;
  std::string command = "set -o pipefail; cd " + quoted(folder) + " && { " + quoted(GRADSCAN_PROGRAM);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  command += " " + redirections + "; } </dev/null >" + quoted(streams.path("out")) + " 2>" + quoted(streams.path("err"));
  int status = std::system(("bash -c " + quoted(command)).c_str());
  return {WEXITSTATUS(status), streams.read("out"), streams.read("err")};
}

}  // namespace gradscan::tests
