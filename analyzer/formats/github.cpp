// Workflow commands: lines that a GitHub runner turns into annotations on a line of a file. The runner shows ten of each level
// per step, so no more are written, worst first; if there are more, the last one says how many.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "analyzer/report/survey.h"
#include "analyzer/review/code_lines.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr std::size_t annotations_shown = 10;

// The runner takes what follows a % for a character code; in properties, commas and colons are separators.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (char byte : text) {
    if (byte == '%')
      result += "%25";
    else if (byte == '\n')
      result += "%0A";
    else if (byte == '\r')
      result += "%0D";
    else if (property && byte == ',')
      result += "%2C";
    else if (property && byte == ':')
      result += "%3A";
    else
      result += byte;
  }
  return result;
}

// The rest of a command, after its level.
std::string annotation(const CodeLine& code, const std::string& title, const std::string& message) {
  return fmt::format("file={}{},title={}::{}\n", escaped(printable(code.path), true),
                     code.line > 0 ? fmt::format(",line={}", code.line) : "", escaped(printable(title), true),
                     escaped(printable(message), false));
}

std::string annotation(const Scanned& file, const Finding& finding, const SourcePathOptions& options) {
  std::string title = fmt::format("gradscan: {}{}", finding.rule, finding.severity == Severity::silent ? " (silent)" : "");
  return annotation(code_lines(file, finding, options).front(), title,
                    fmt::format("{}: {}", file.path, remark(*file.report, finding)));
}

std::string commands(const std::string& level, const std::vector<std::string>& annotations) {
  std::size_t shown = annotations.size() <= annotations_shown ? annotations.size() : annotations_shown - 1;
  std::string text;
  for (std::size_t at = 0; at < shown; ++at) text += fmt::format("::{} {}", level, annotations[at]);
  if (shown < annotations.size())
    text += fmt::format("::{} title=gradscan::{} more, see the full report\n", level, annotations.size() - shown);
  return text;
}

}  // namespace

std::string to_github(const Survey& survey, const SourcePathOptions& options) {
  std::map<Severity, std::vector<std::string>> annotations;
  for (int position : worst_first(survey)) {
    const Scanned& file = survey.files[position];
    if (!file.report) {
      annotations[Severity::error].push_back(
          annotation(CodeLine{mapped(file.path, options), 0, {}}, "gradscan: not scanned", file.error));
      continue;
    }
    for (const Finding& finding : file.report->findings)
      if (finding.accepted.empty()) annotations[finding.severity].push_back(annotation(file, finding, options));
  }
  std::vector<std::string>& errors = annotations[Severity::error];
  std::ranges::copy(annotations[Severity::silent], std::back_inserter(errors));
  return commands("error", errors) + commands("warning", annotations[Severity::unknown]) +
         commands("notice", annotations[Severity::note]);
}

}  // namespace gradscan
