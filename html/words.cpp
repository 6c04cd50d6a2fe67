#include "html/words.h"

#include <fmt/format.h>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/step_words.h"
#include "html/markup.h"

namespace gradscan::page {

std::string class_of(Severity severity) {
  return std::string(severity_words(severity).name);
}

std::string class_of(const Finding& finding) {
  return finding.accepted.empty() ? class_of(finding.severity) : "note";
}

std::string class_of(const Report& report, const Verdict& verdict) {
  return class_of(gradscan::in_words(report, verdict).severity);
}

std::string sign(std::string_view of_class) {
  const std::string_view character = of_class == "error"     ? "✕"
                                     : of_class == "silent"  ? "▲"
                                     : of_class == "unknown" ? "?"
                                     : of_class == "pass"    ? "✓"
                                                             : "•";
  return element("span", {{"class", "sign"}, {"aria-hidden", "true"}}, character);
}

std::string in_words(Severity severity) {
  return std::string(severity_words(severity).title);
}

std::string badge(const Report& report, const Verdict& verdict) {
  const std::string of_class = class_of(report, verdict);
  std::string words = gradscan::in_words(report, verdict).words;
  const std::size_t level_ends = words.find(' ');
  if (level_ends != std::string::npos) words.erase(0, level_ends + 1);
  const std::string level = of_class == "pass" ? "" : element("small", of_class) + " ";
  return element("span", {{"class", "badge " + of_class}}, fmt::format("{} {}{}", sign(of_class), level, escaped(words)));
}

std::string headline(const Finding& finding) {
  const std::string accepted = finding.accepted.empty() ? "" : " " + element("small", escaped("accepted: " + finding.accepted));
  return fmt::format("{} {}{}", sign(class_of(finding)),
                     escaped(fmt::format("{}: {}", in_words(finding.severity), finding.title)), accepted);
}

std::string lead(const Report& report) {
  std::string lines;
  for (const Finding& finding : report.findings)
    if (finding.severity != Severity::note) lines += element("p", {{"class", "lead " + class_of(finding)}}, headline(finding));
  return lines.empty() ? element("p", {{"class", "lead pass"}}, good_news(report)) : lines;
}

std::string good_news(const Report& report) {
  return fmt::format("{} Nothing is wrong: {} pass, and all gradients are averaged across the ranks", sign("pass"),
                     iterations_in_words(report.verdict));
}

std::string header_cells(std::initializer_list<std::string_view> titles) {
  std::string cells;
  for (const std::string_view title : titles) cells += element("th", {{"scope", "col"}}, escaped(title));
  return cells;
}

std::string scrolling(std::string_view title, const std::string& table) {
  return element("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", title}}, table);
}

}  // namespace gradscan::page
