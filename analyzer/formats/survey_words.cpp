// The text of a survey: the first question about all models of a project is which of them are bad, and how.
#include "analyzer/formats/survey_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/report/survey.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr std::size_t indent = 8;  // the longest word and two spaces

// Painted only after wrapping, so that escape sequences take up no columns.
void write_line(TerminalText& out, const Scanned& file) {
  const std::string_view word = severity_words(severity(file)).loud;
  std::string first(word);
  first.resize(indent, ' ');
  std::string lines =
      wrap(printable(fmt::format("{}: {}", file.path, in_words(file))), out.width(), first, std::string(indent, ' '));
  out.raw(out.painted(word, paint_of(severity(file))) + lines.substr(word.size()));
}

constexpr std::size_t reasons_shown = 3;

// "2 findings accepted (waits for mmcv 2.2), no others"; empty if none is accepted.
std::string accepted_in_words(const Report& report) {
  std::size_t number = 0;
  std::vector<std::string> reasons;
  for (const Finding& finding : report.findings) {
    if (finding.accepted.empty()) continue;
    ++number;
    if (std::find(reasons.begin(), reasons.end(), finding.accepted) == reasons.end()) reasons.push_back(finding.accepted);
  }
  if (number == 0) return "";
  return fmt::format("{} accepted ({}), no others", count(number, "finding"), enumerate(reasons, reasons_shown));
}

}  // namespace

std::string in_words(const Scanned& file) {
  if (!file.report) return file.error.starts_with(file.path + ": ") ? file.error.substr(file.path.size() + 2) : file.error;
  if (const Finding* worst = worst_finding(*file.report)) return worst->title;
  std::string accepted = accepted_in_words(*file.report);
  if (!accepted.empty()) return accepted;
  return iterations_in_words(file.report->verdict) + " pass, all gradients are averaged";
}

std::string summary(const Survey& survey) {
  std::map<Severity, std::size_t> numbers;
  for (const Scanned& file : survey.files) ++numbers[severity(file)];
  std::vector<std::string> parts;
  const auto add = [&](Severity severity, const char* word) {
    if (numbers[severity] > 0) parts.push_back(fmt::format("{} {}", numbers[severity], word));
  };
  if (numbers[Severity::error] > 0) parts.push_back(count(numbers[Severity::error], "error"));
  if (numbers[Severity::silent] > 0) parts.push_back(count(numbers[Severity::silent], "silent failure"));
  add(Severity::unknown, "unknown");
  add(Severity::clean, "clean");
  add(Severity::failed, "could not be scanned");
  std::string files = count(survey.files.size(), "file");
  return parts.empty() ? files : fmt::format("{}: {}", files, fmt::join(parts, ", "));
}

std::string to_text(const Survey& survey, const TextOptions& options) {
  if (survey.files.size() == 1 && survey.files[0].report) return to_text(*survey.files[0].report, options);
  TerminalText out(options);
  for (int position : worst_first(survey)) write_line(out, survey.files[position]);
  out.heading(summary(survey));
  return out.take();
}

}  // namespace gradscan
