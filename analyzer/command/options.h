// The command line, read into plain data: what to scan, and what to write of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/command/formats.h"
#include "analyzer/run/request.h"
#include "gradscan/writers.h"

namespace gradscan {

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
  SourcePathOptions places;
  Color color = Color::automatic;
};

enum class Shell { bash, zsh, fish };

struct CommandLine {
  enum class Action { scan, help, man_page, completion, version, list_presets, list_findings };
  Action action = Action::scan;
  std::optional<Shell> completion;
  ScanRequest scan;
  OutputRequest write;
};

// Of the arguments without the program's name, after those that the project's gradscan.toml stands for (see project.h): of what
// can be given once only, the command line's counts. Throws Error (usage).
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace gradscan
