// The renderings of a Report. Each returns the whole document; the same report gives the same bytes.
//
//     std::cout << to_text(report, {.color = true, .width = 100});
//     write_file("report.svg", to_svg(report));
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gradscan/compare.h"
#include "gradscan/plan.h"
#include "gradscan/report.h"
#include "gradscan/report_json.h"
#include "gradscan/source_paths.h"
#include "gradscan/survey.h"

namespace gradscan {

struct TextOptions {
  bool color = false;  // ANSI colours
  int width = 80;      // columns to wrap prose at
};

// For a terminal: the file, DDP's verdict, all affected parameters, why, the table of setups.
std::string to_text(const Report& report, const TextOptions& options = {});

// Everything about one parameter. Throws Error (usage), naming near matches, if the report has no such parameter.
std::string explain(const Report& report, std::string_view name_or_index, const TextOptions& options = {});

// A line per file, worst first, and how many files have each outcome. For a single file, the same as to_text(report).
std::string to_text(const Survey& survey, const TextOptions& options = {});

std::string to_text(const Plan& plan, const TextOptions& options = {});
std::string to_text(const Comparison& comparison, const TextOptions& options = {});
std::string to_json(const Plan& plan);
std::string to_json(const Comparison& comparison);

// Which part of the model the picture shows; by default the part in conflict.
struct PictureOptions {
  std::string focus{};  // name or index of a parameter, or name of a region, to draw around; empty: none
  int radius = 1;       // how far the stages around it are drawn, in edges
  bool whole = false;   // the whole model, with everything in conflict unfolded
};

// Graphviz source, and laid out as SVG. Layout runs in a child process for at most `time_limit`, so a crash does not affect the
// caller. Throws Error: limit if time runs out, output if layout fails, usage if there is no such focus.
std::string to_dot(const Report& report, const PictureOptions& options = {});
std::string to_svg(const Report& report, const PictureOptions& options = {},
                   std::chrono::milliseconds time_limit = std::chrono::seconds(20));

// One self-contained page: verdict, setups, parameters, picture, fixes. With Report::setups every setup has its own view.
// Throws like to_svg.
std::string to_html(const Survey& survey, const PictureOptions& options = {});

// For a comment on a pull request, with a Mermaid diagram of the regions in conflict; at most 65,536 characters.
std::string to_markdown(const Survey& survey);

// SARIF 2.1.0, and the workflow commands that GitHub shows as annotations: at most ten of each level, worst first.
std::string to_sarif(const Survey& survey, const SourcePathOptions& options = {});
std::string to_github(const Survey& survey, const SourcePathOptions& options = {});

}  // namespace gradscan
