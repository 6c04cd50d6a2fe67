// Workflow commands: lines that a GitHub runner turns into annotations of a file's line. Of one step it shows ten of each
// level, so no more are written, the worst first, and the last of too many says how many there are.
#include <algorithm>
#include <vector>

#include "analyzer/report/survey.h"
#include "analyzer/review/code_lines.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr std::size_t annotations_shown = 10;

// The runner reads what is behind each % as the code of a character; in a property commas and colons are separators.
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

// The rest of a command behind its level.
std::string annotation(const CodeLine& place, const std::string& title, const std::string& message) {
  std::string text = "file=" + escaped(printable(place.path), true);
  if (place.line > 0) text += ",line=" + std::to_string(place.line);
  return text + ",title=" + escaped(printable(title), true) + "::" + escaped(printable(message), false) + "\n";
}

std::string annotation(const Scanned& file, const Finding& finding, const SourcePathOptions& options) {
  std::string title = "gradscan: " + finding.rule + (finding.severity == Severity::silent ? " (silent)" : "");
  return annotation(code_lines(file, finding, options).front(), title, file.path + ": " + remark(*file.report, finding));
}

std::string commands(const std::string& level, const std::vector<std::string>& annotations) {
  std::size_t shown = annotations.size() <= annotations_shown ? annotations.size() : annotations_shown - 1;
  std::string text;
  for (std::size_t at = 0; at < shown; ++at) text += "::" + level + " " + annotations[at];
  if (shown < annotations.size())
    text += "::" + level + " title=gradscan::" + std::to_string(annotations.size() - shown) + " more, see the whole report\n";
  return text;
}

}  // namespace

std::string to_github(const Survey& survey, const SourcePathOptions& options) {
  std::vector<std::string> errors, silent, notices;
  for (int position : worst_first(survey)) {
    const Scanned& file = survey.files[position];
    if (!file.report) {
      errors.push_back(annotation(CodeLine{mapped(file.path, options), 0, {}}, "gradscan: not scanned", file.error));
      continue;
    }
    for (const Finding& finding : file.report->findings) {
      if (!finding.accepted.empty()) continue;
      auto& list = finding.severity == Severity::error ? errors : finding.severity == Severity::silent ? silent : notices;
      list.push_back(annotation(file, finding, options));
    }
  }
  errors.insert(errors.end(), silent.begin(), silent.end());
  return commands("error", errors) + commands("notice", notices);
}

}  // namespace gradscan
