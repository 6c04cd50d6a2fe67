// The command line, read into plain data: what to scan, and what to write of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/command/formats.h"
#include "gradscan/scan.h"
#include "gradscan/writers.h"

namespace gradscan {

struct ScanRequest {
  std::vector<std::string> models;  // one at least; reports that have been saved as JSON may be among them
  ScanOptions options;
  bool asks_setup = false;               // whether options say how the model is trained, what it is given or how it is changed
  std::optional<int> fix;                // number of the fix to apply, from 1
  std::optional<std::string> compare;    // the file to compare with
  std::optional<std::int64_t> budget;    // bytes, to plan checkpoints for
  std::chrono::seconds time_limit{600};  // for loading and running a model
  int parallel = 1;                      // files that are scanned at a time
};

enum class Color { automatic, always, never };

struct OutputFile {
  std::string path;
  Format format = Format::text;
};

struct OutputRequest {
  Format format = Format::text;        // of standard output
  std::optional<std::string> explain;  // the parameter whose story replaces the report on standard output
  std::vector<OutputFile> files;
  std::optional<std::string> save_capture;              // path
  std::optional<std::string> baseline, write_baseline;  // paths
  PictureOptions picture;
  PlaceOptions places;
  Color color = Color::automatic;
};

struct CommandLine {
  enum class Action { scan, help, version, list_presets, list_findings };
  Action action = Action::scan;
  ScanRequest scan;
  OutputRequest write;
};

// What --help prints.
extern const std::string_view help_text;

// Of the arguments without the program's name, after those that the project's gradscan.toml stands for (see project.h): of what
// can be given once only, the command line's counts. Throws Error (usage).
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace gradscan
