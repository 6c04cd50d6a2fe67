#include "analyzer/command/outputs.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "analyzer/base/files.h"
#include "analyzer/base/internal_error.h"
#include "analyzer/command/render.h"
#include "analyzer/review/baseline.h"
#include "gradscan/error.h"
#include "gradscan/files.h"
#include "gradscan/survey.h"

namespace gradscan {
namespace {

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

bool is_picture_failure(const Error& error, Format format) {
  return format == Format::svg && (error.failure() == Failure::limit || error.failure() == Failure::output);
}

RenderOptions render_options(const OutputRequest& write, const TextOptions& text = {}) {
  return {text, write.picture, write.places};
}

void print_result(const Result& result, const OutputRequest& write) {
  std::string document;
  try {
    document = render(result, write.format, render_options(write, text_options(write)));
  } catch (const Error& error) {
    if (!is_picture_failure(error, write.format)) throw;
    throw Error(error.failure(), "standard output", error.what(), "use --format dot");
  }
  print(document);
}

// A picture that cannot be laid out is still there as Graphviz source.
[[noreturn]] void write_source_instead(const Result& result, const std::string& path, const RenderOptions& options,
                                       const Error& error) {
  std::string source = path.substr(0, path.size() - 4) + ".dot";
  write_file(source, render(result, Format::dot, options));
  throw Error(error.failure(), path, error.what(), "its Graphviz source is in " + source);
}

void write_result(const Result& result, const OutputFile& file, const RenderOptions& options) {
  std::string document;
  try {
    document = render(result, file.format, options);
  } catch (const Error& error) {
    if (!is_picture_failure(error, file.format)) throw;
    write_source_instead(result, file.path, options, error);
  }
  write_file(file.path, document);
}

// Steps of which each is tried, whatever becomes of the others.
class Attempts {
 public:
  void add(const std::function<void()>& step) {
    try {
      step();
    } catch (...) {
      int code = say_failure(std::current_exception());
      if (!failed_) failed_ = code;
    }
  }
  std::optional<int> failed() const { return failed_; }  // exit code of the first that failed

 private:
  std::optional<int> failed_;
};

std::string today() {
  std::time_t now = std::time(nullptr);
  std::array<char, 11> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d", std::localtime(&now));
  return date.data();
}

// One that is still to be written for the first time has nothing in it.
Baseline read_baseline(const OutputRequest& write) {
  std::error_code ignored;
  if (write.write_baseline == write.baseline && !std::filesystem::exists(*write.baseline, ignored)) return {};
  return parse_baseline(read_file(*write.baseline), *write.baseline);
}

// What the project accepts is no conflict. Returns what --write-baseline is to write.
std::string use_baseline(const OutputRequest& write, Survey& survey) {
  Baseline baseline;
  if (write.baseline) baseline = read_baseline(write);
  for (const std::string& sentence : apply(baseline, survey, today())) say(*write.baseline + ": " + sentence);
  return to_json(baseline_of(survey, baseline));
}

std::string story(const Result& result, const OutputRequest& write) {
  if (!write.explain) return "";
  return explain(*std::get<Survey>(result).files.front().report, *write.explain, text_options(write));
}

void save_capture(const Capture& capture, const OutputRequest& write) {
  if (write.save_capture) write_capture(capture, *write.save_capture);
}

void say_errors(const Survey& survey) {
  for (const Scanned& file : survey.files)
    if (!file.error.empty()) say(file.error);
}

// What shows one model is asked of a survey of one; a saved one may be of several.
void check_single(const Survey& survey, const OutputRequest& write) {
  bool picture = draws(write.format) ||
                 std::any_of(write.files.begin(), write.files.end(), [](const OutputFile& file) { return draws(file.format); });
  if (!picture && !write.explain) return;
  if (survey.files.size() != 1 || !survey.files.front().report)
    throw Error(Failure::usage, write.explain ? "--explain" : "a picture", "is of one model, and the report is of several",
                "use HTML for several: -o report.html");
}

int write_all_outputs(const ScanResult& scan, const OutputRequest& write, const std::string& baseline, int exit_code) {
  std::string told = story(scan.result, write);
  Attempts attempts;
  if (scan.capture) attempts.add([&] { save_capture(*scan.capture, write); });
  if (write.write_baseline) attempts.add([&] { write_file(*write.write_baseline, baseline); });
  for (const OutputFile& file : write.files) attempts.add([&] { write_result(scan.result, file, render_options(write)); });
  attempts.add([&] { write.explain ? print(told) : print_result(scan.result, write); });
  return attempts.failed().value_or(exit_code);
}

}  // namespace

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

int say_failure(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
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

void show_progress(std::size_t done, std::size_t of) {
  if (!::isatty(STDERR_FILENO)) return;
  std::string line = "\r\x1b[K" + std::to_string(done) + " of " + std::to_string(of) + " files";
  write_all(STDERR_FILENO, done < of ? line : "\r\x1b[K");
}

void check_outputs(const OutputRequest& write) {
  for (const auto& path : {write.save_capture, write.write_baseline})
    if (path) check_writable(*path);
  for (const OutputFile& file : write.files) check_writable(file.path);
  if (write.baseline) read_baseline(write);
}

bool wants_every_setup(const OutputRequest& write) {
  return write.format == Format::html || std::any_of(write.files.begin(), write.files.end(),
                                                     [](const OutputFile& file) { return file.format == Format::html; });
}

int write_outputs(ScanResult scan, const OutputRequest& write) {
  auto* survey = std::get_if<Survey>(&scan.result);
  if (!survey) return write_all_outputs(scan, write, "", scan.exit_code);
  check_single(*survey, write);
  if (write.save_capture && !scan.capture)
    throw Error(Failure::usage, "--save-capture", "a saved report has no capture", "give the model");
  if (write.format != Format::text) say_errors(*survey);
  std::string baseline = write.baseline || write.write_baseline ? use_baseline(write, *survey) : "";
  return write_all_outputs(scan, write, baseline, exit_code(*survey));
}

}  // namespace gradscan
