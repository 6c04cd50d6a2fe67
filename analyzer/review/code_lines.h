// Where a finding belongs in a code review: the lines that call checkpoint for the affected regions, with paths as in the
// reviewer's checkout.
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
  std::vector<int> regions;  // called there, in the order of the finding's groups
};

// Each line once, starting with that of the finding's first region. If no line is known, the scanned file; never empty.
std::vector<CodeLine> code_lines(const Scanned& file, const Finding& finding, const SourcePathOptions& options);

// Applies the first entry of options.path_map whose folder is, or contains, the path.
std::string mapped(const std::string& path, const SourcePathOptions& options);

// As in RFC 3986: "file:///a%20b.py" for an absolute path, a relative reference for any other.
std::string uri(std::string_view path);

// One paragraph for a reviewer: what is wrong, why, and how to fix it.
std::string remark(const Report& report, const Finding& finding);

}  // namespace gradscan
