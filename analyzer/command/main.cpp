// The command line: parse, scan, print.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <system_error>

#include "analyzer/command/isolate.h"
#include "analyzer/command/options.h"
#include "analyzer/files.h"
#include "analyzer/graph/in_turn.h"
#include "analyzer/internal_error.h"
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

bool is_picture_failure(const Error& error, Format format) {
  return format == Format::svg && error.failure() != Failure::internal;
}

void print_report(const Report& report, const OutputRequest& write) {
  std::string document;
  try {
    document = render(report, write.format, text_options(write));
  } catch (const Error& error) {
    if (!is_picture_failure(error, write.format)) throw;
    throw Error(error.failure(), "standard output", error.what(), "use --format dot");
  }
  print(document);
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
    if (!is_picture_failure(error, file.format)) throw;
    write_source_instead(report, file.path, error);
  }
  write_file(file.path, document);
}

// Says what went wrong, which is the exception being handled, and returns its exit code.
int say_failure() {
  try {
    throw;
  } catch (const Error& error) {
    say(error.what());
    return exit_code(error.failure());
  } catch (const std::bad_alloc&) {
    say("there is not enough memory");
    return exit_code(Failure::limit);
  } catch (const std::exception& error) {
    say(internal_error("", error).what());
    return exit_code(Failure::internal);
  }
}

// Steps of which each is tried, whatever becomes of the others.
class Attempts {
 public:
  void add(const std::function<void()>& step) {
    try {
      step();
    } catch (...) {
      int code = say_failure();
      if (!failed_) failed_ = code;
    }
  }
  std::optional<int> failed() const { return failed_; }  // exit code of the first that failed

 private:
  std::optional<int> failed_;
};

void check_outputs(const OutputRequest& write) {
  if (write.save_capture) check_writable(*write.save_capture);
  for (const OutputFile& file : write.files) check_writable(file.path);
}

Capture capture_isolated(const std::string& model, const ScanRequest& scan) {
  auto work = [&] { return to_json(capture_file(model, scan.options)); };
  return parse_capture(isolate(model, scan.time_limit, work), model);
}

std::vector<Capture> captures_in_turn(const ScanRequest& scan) {
  std::vector<Capture> captures{capture_isolated(scan.model, scan)};
  for (const std::string& model : scan.options.then) captures.push_back(capture_isolated(model, scan));
  check_then(captures, scan.options.then);
  return captures;
}

void save_capture(const Capture& capture, const OutputRequest& write) {
  if (write.save_capture) write_capture(capture, *write.save_capture);
}

// Who reports a bug in the analysis needs the capture.
Report analyse_or_save(const std::vector<Capture>& in_turn, const Setup& setup, const OutputRequest& write) {
  try {
    return analyse(in_turn, setup);
  } catch (...) {
    save_capture(in_turn.front(), write);
    throw;
  }
}

// Nothing is written before it is clear that the parameter to explain exists; then everything that can be.
int scan_and_write(const CommandLine& line) {
  const OutputRequest& write = line.write;
  check_outputs(write);
  std::vector<Capture> in_turn = captures_in_turn(line.scan);
  Report report = analyse_or_save(in_turn, resolve_setup(in_turn.front(), line.scan.options), write);
  std::string story = write.explain ? explain(report, *write.explain, text_options(write)) : "";
  Attempts attempts;
  attempts.add([&] { save_capture(in_turn.front(), write); });
  for (const OutputFile& file : write.files) attempts.add([&] { write_report(report, file); });
  attempts.add([&] { write.explain ? print(story) : print_report(report, write); });
  return attempts.failed().value_or(has_conflict(report) ? exit_conflict : exit_clean);
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
    return gradscan::run(gradscan::parse_command_line(argc, argv));
  } catch (...) {
    return gradscan::say_failure();
  }
}
