// The command line, read into plain data: what to scan, and what to write of it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/scan.h"

namespace gradscan {

struct ScanRequest {
  std::string model;
  ScanOptions options;
  std::chrono::seconds time_limit{600};  // for loading and running the model
};

enum class Format { text, json, dot, svg };

enum class Color { automatic, always, never };

struct OutputFile {
  std::string path;
  Format format = Format::text;
};

struct OutputRequest {
  Format format = Format::text;        // of standard output
  std::optional<std::string> explain;  // the parameter whose story replaces the report on standard output
  std::vector<OutputFile> files;
  std::optional<std::string> save_capture;  // path
  Color color = Color::automatic;
};

struct CommandLine {
  enum class Action { scan, help, version };
  Action action = Action::scan;
  ScanRequest scan;
  OutputRequest write;
};

// What --help prints.
extern const std::string_view help_text;

// Throws Error (usage).
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace gradscan
