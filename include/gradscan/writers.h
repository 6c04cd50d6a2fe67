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

// For a terminal: the file, DDP's verdict, all parameters concerned, why, the table of setups.
std::string to_text(const Report& report, const TextOptions& options = {});

// The whole story of one parameter. Throws Error (usage), naming near matches, if the report has no such parameter.
std::string explain(const Report& report, std::string_view name_or_index, const TextOptions& options = {});

// A line per file, the worst first, and how many there are of each outcome; of one file as to_text(report).
std::string to_text(const Survey& survey, const TextOptions& options = {});

std::string to_text(const Plan& plan, const TextOptions& options = {});
std::string to_text(const Comparison& comparison, const TextOptions& options = {});
std::string to_json(const Plan& plan);
std::string to_json(const Comparison& comparison);

// What of the model the picture shows: without any of these the part in conflict.
struct PictureOptions {
  std::string focus{};  // name or index of a parameter, or name of a region, around which it is drawn; empty: none
  int radius = 1;       // of the stages around it, in edges
  bool whole = false;   // the whole model, nothing folded away that is in conflict
};

// As Graphviz source and laid out as SVG. Layout runs in a child process: it takes at most `time_limit` and cannot take the
// caller with it. Throws Error: limit if the time is over, output if layout fails, usage if there is no such focus.
std::string to_dot(const Report& report, const PictureOptions& options = {});
std::string to_svg(const Report& report, const PictureOptions& options = {},
                   std::chrono::milliseconds time_limit = std::chrono::seconds(20));

// One self-contained page: verdict, setups, parameters, picture, fixes. With Report::setups every setup can be looked at.
// Throws as to_svg.
std::string to_html(const Survey& survey, const PictureOptions& options = {});

// For a comment on a pull request, with a Mermaid diagram of the regions in conflict; at most 65,536 characters.
std::string to_markdown(const Survey& survey);

// SARIF 2.1.0, and the workflow commands that GitHub shows as annotations: ten at most of each level, the worst first.
std::string to_sarif(const Survey& survey, const SourcePathOptions& options = {});
std::string to_github(const Survey& survey, const SourcePathOptions& options = {});

}  // namespace gradscan
