// Where a finding belongs in a review: the lines that call checkpoint for the regions concerned, as paths that the reviewer's
// checkout has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradscan/source_paths.h"
#include "gradscan/survey.h"

namespace gradscan {

struct CodeLine {
  std::string path;
  int line = 0;              // from 1; 0: the file as a whole
  std::vector<int> regions;  // that are called there, in the order of the finding's groups
};

// Each line once, that of the finding's first region first. If no line is known, the file that was scanned; never empty.
std::vector<CodeLine> code_lines(const Scanned& file, const Finding& finding, const SourcePathOptions& options);

// The path after the first entry of options.path_map that is it or a folder around it.
std::string mapped(const std::string& path, const SourcePathOptions& options);

// RFC 3986: an absolute path as "file:///a%20b.py", any other as a relative reference.
std::string uri(std::string_view path);

// One paragraph for a reviewer: what is wrong, why, and what repairs it.
std::string remark(const Report& report, const Finding& finding);

}  // namespace gradscan
