// The text of a survey: who runs gradscan over all models of a project asks first which of them are bad, and how.
#include "analyzer/formats/survey_words.h"

#include <algorithm>
#include <array>

#include "analyzer/data/rules.h"
#include "analyzer/formats/page.h"
#include "analyzer/report/survey.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

Paint paint_of(Severity severity) {
  return severity == Severity::clean ? Paint::good : severity == Severity::silent ? Paint::warn : Paint::bad;
}

constexpr std::size_t indent = 8;  // the longest word and two blanks

// Painted when the line has been wrapped, so that escape sequences take no columns.
void write_line(Page& page, const Scanned& file) {
  const std::string_view word = severity_words(severity(file)).loud;
  std::string first(word);
  first.resize(indent, ' ');
  std::string lines = wrap(printable(file.path + ": " + in_words(file)), page.width(), first, std::string(indent, ' '));
  page.raw(page.painted(word, paint_of(severity(file))) + lines.substr(word.size()));
}

constexpr std::size_t reasons_told = 3;

// "2 findings accepted (waits for mmcv 2.2), no other"; empty if none is accepted.
std::string accepted_in_words(const Report& report) {
  std::size_t number = 0;
  std::vector<std::string> reasons;
  for (const Finding& finding : report.findings) {
    if (finding.accepted.empty()) continue;
    ++number;
    if (std::find(reasons.begin(), reasons.end(), finding.accepted) == reasons.end()) reasons.push_back(finding.accepted);
  }
  if (number == 0) return "";
  return count(number, "finding") + " accepted (" + enumerate(reasons, reasons_told) + "), no other";
}

}  // namespace

std::string in_words(const Scanned& file) {
  if (!file.report) return file.error.starts_with(file.path + ": ") ? file.error.substr(file.path.size() + 2) : file.error;
  if (const Finding* worst = worst_finding(*file.report)) return worst->title;
  std::string accepted = accepted_in_words(*file.report);
  return accepted.empty() ? "four iterations pass, all gradients are averaged" : accepted;
}

std::string summary(const Survey& survey) {
  std::array<std::size_t, 5> numbers{};  // by Severity
  for (const Scanned& file : survey.files) ++numbers[static_cast<std::size_t>(severity(file))];
  auto [failed, error, silent, notes, clean] = numbers;
  std::vector<std::string> parts;
  if (error > 0) parts.push_back(count(error, "error"));
  if (silent > 0) parts.push_back(std::to_string(silent) + " silent");
  if (clean > 0) parts.push_back(std::to_string(clean) + " clean");
  if (failed > 0) parts.push_back(std::to_string(failed) + " could not be scanned");
  std::string text = count(survey.files.size(), "file");
  for (std::size_t at = 0; at < parts.size(); ++at) text += (at == 0 ? ": " : ", ") + parts[at];
  return text;
}

std::string to_text(const Survey& survey, const TextOptions& options) {
  if (survey.files.size() == 1 && survey.files[0].report) return to_text(*survey.files[0].report, options);
  Page page(options);
  for (int position : worst_first(survey)) write_line(page, survey.files[position]);
  page.heading(summary(survey));
  return page.take();
}

}  // namespace gradscan
