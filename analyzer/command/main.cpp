// The program: parse the command line, scan, write.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>

#include "analyzer/command/completion.h"
#include "analyzer/command/help.h"
#include "analyzer/command/man_page.h"
#include "analyzer/command/option_table.h"
#include "analyzer/command/options.h"
#include "analyzer/command/outputs.h"
#include "analyzer/command/project.h"
#include "analyzer/formats/rules_words.h"
#include "analyzer/presets/presets.h"
#include "analyzer/run/scan_files.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

int scan_and_write(CommandLine line) {
  check_outputs(line.write);
  line.scan.options.analyse.every_setup = wants_every_setup(line.write);
  auto save = [&](const Capture& capture) {
    if (line.write.save_capture) write_capture(capture, *line.write.save_capture);
  };
  return write_outputs(scan_files(line.scan, show_progress, save), line.write);
}

// What an action other than a scan prints.
std::string answer(const CommandLine& line) {
  CommandLine unused;
  OptionTable table = option_table(unused);
  switch (line.action) {
    case CommandLine::Action::help:
      return help(table);
    case CommandLine::Action::man_page:
      return man_page(table);
    case CommandLine::Action::completion:
      return completion(*line.completion, table);
    case CommandLine::Action::version:
      return "gradscan " + std::string(version) + " (torch " + torch_version() + ")\n";
    case CommandLine::Action::list_presets:
      return presets_in_words();
    case CommandLine::Action::list_findings:
      return findings_in_words();
    case CommandLine::Action::scan:
      break;
  }
  return "";
}

int run(const CommandLine& line) {
  if (line.action == CommandLine::Action::scan) return scan_and_write(line);
  print(answer(line));
  return exit_clean;
}

// The command line alone tells which models there are, and these tell the project whose options stand before it.
CommandLine command_line(const std::vector<std::string>& arguments) {
  CommandLine line = parse_command_line(arguments);
  if (line.action != CommandLine::Action::scan) return line;
  std::vector<std::string> all = project_of(line.scan.models).arguments;
  if (all.empty()) return line;
  all.insert(all.end(), arguments.begin(), arguments.end());
  bool asks_setup = line.scan.asks_setup;  // a project is not of saved reports
  line = parse_command_line(all);
  line.scan.asks_setup = asks_setup;
  return line;
}

// A standard stream that is closed would lend its number to the next file that is opened, and what is printed would go there.
// Opened the wrong way round, it takes the number, and still refuses what is printed.
void fill_standard_streams() {
  for (int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(number, F_GETFD) < 0) ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace
}  // namespace gradscan

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  gradscan::fill_standard_streams();
  try {
    return gradscan::run(gradscan::command_line({argv + 1, argv + argc}));
  } catch (...) {
    return gradscan::say_failure(std::current_exception());
  }
}
