// The command line: parse, scan, print.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <system_error>

#include "analyzer/command/isolate.h"
#include "analyzer/command/options.h"
#include "analyzer/files.h"
#include "gradscan/gradscan.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

constexpr int exit_clean = 0, exit_conflict = 1;

void say(const std::string& line) {
  write_all(STDERR_FILENO, "gradscan: " + line + "\n");
}

// A reader that has seen enough (gradscan ... | head) is not an error.
void print(std::string_view content) {
  int code = write_all(STDOUT_FILENO, content);
  if (code == 0 || code == EPIPE) return;
  throw Error(Failure::output, "standard output", "cannot be written (" + std::generic_category().message(code) + ")",
              "make room or write to a file with -o");
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool use_color(Color color) {
  if (color != Color::automatic) return color == Color::always;
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) && !is_set("NO_COLOR") && std::string_view(terminal ? terminal : "dumb") != "dumb";
}

TextOptions text_options(const OutputRequest& write) {
  TextOptions options{.color = use_color(write.color)};
  struct winsize size {};
  if (::isatty(STDOUT_FILENO) && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.width = std::clamp<int>(size.ws_col, 60, 160);
  return options;
}

std::string render(const Report& report, Format format, const TextOptions& options) {
  switch (format) {
    case Format::json:
      return to_json(report);
    case Format::dot:
      return to_dot(report);
    case Format::svg:
      return to_svg(report);
    case Format::text:
      break;
  }
  return to_text(report, options);
}

void print_answer(const Report& report, const OutputRequest& write) {
  TextOptions options = text_options(write);
  print(write.explain ? explain(report, *write.explain, options) : render(report, write.format, options));
}

// A picture that cannot be laid out is still there as Graphviz source.
[[noreturn]] void write_source_instead(const Report& report, const std::string& path, const Error& error) {
  std::string source = path.substr(0, path.size() - 4) + ".dot";
  write_file(source, to_dot(report));
  throw Error(error.failure(), path, error.what(), "its Graphviz source is in " + source);
}

void write_report(const Report& report, const OutputFile& file) {
  std::string document;
  try {
    document = render(report, file.format, {});
  } catch (const Error& error) {
    if (file.format != Format::svg || error.failure() == Failure::internal) throw;
    write_source_instead(report, file.path, error);
  }
  write_file(file.path, document);
}

// Writes what can be written, and says what cannot. Returns the exit code of the first failure.
std::optional<int> write_reports(const Report& report, const std::vector<OutputFile>& files) {
  std::optional<int> code;
  for (const OutputFile& file : files) {
    try {
      write_report(report, file);
    } catch (const Error& error) {
      if (error.failure() == Failure::internal) throw;
      say(error.what());
      if (!code) code = exit_code(error.failure());
    }
  }
  return code;
}

void check_outputs(const OutputRequest& write) {
  if (write.save_capture) check_writable(*write.save_capture);
  for (const OutputFile& file : write.files) check_writable(file.path);
}

Capture capture_isolated(const ScanRequest& scan) {
  auto work = [&] { return to_json(capture_file(scan.model, scan.options)); };
  return parse_capture(isolate(scan.model, scan.time_limit, work), scan.model);
}

int scan_and_write(const CommandLine& line) {
  check_outputs(line.write);
  Capture capture = capture_isolated(line.scan);
  if (line.write.save_capture) write_capture(capture, *line.write.save_capture);
  Report report = analyse(capture, resolve_setup(capture, line.scan.options));
  print_answer(report, line.write);
  if (auto code = write_reports(report, line.write.files)) return *code;
  return has_conflict(report) ? exit_conflict : exit_clean;
}

int run(const CommandLine& line) {
  switch (line.action) {
    case CommandLine::Action::help:
      print(help_text);
      return exit_clean;
    case CommandLine::Action::version:
      print("gradscan " + std::string(version) + " (torch " + torch_version() + ")\n");
      return exit_clean;
    case CommandLine::Action::scan:
      break;
  }
  return scan_and_write(line);
}

int fail(Failure failure, const std::string& what) {
  say(failure == Failure::internal
          ? Error(failure, "internal error", what, "please report it with the model's .capture.json (--save-capture)").what()
          : what);
  return exit_code(failure);
}

}  // namespace
}  // namespace gradscan

int main(int argc, char** argv) {
  using gradscan::Failure;
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return gradscan::run(gradscan::parse_command_line(argc, argv));
  } catch (const gradscan::Error& error) {
    return gradscan::fail(error.failure(), error.what());
  } catch (const std::bad_alloc&) {
    return gradscan::fail(Failure::limit, "there is not enough memory");
  } catch (const std::exception& error) {
    return gradscan::fail(Failure::internal, error.what());
  }
}
