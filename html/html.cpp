// The page of a Survey: one self-contained HTML file that needs neither a network nor a script.
//
// Everything is markup, in tables and <details>. The script in html/page.js makes it more convenient, and the policy in the
// head allows no other script. Style sheet and script are compiled in, see html/CMakeLists.txt.
#include <fmt/format.h>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/survey_words.h"
#include "gradscan/writers.h"
#include "html/anchors.h"
#include "html/article.h"
#include "html/assets.h"
#include "html/markup.h"
#include "html/words.h"

namespace gradscan {
namespace {

using page::element, page::escaped;

std::string title(const Survey& survey) {
  if (survey.files.size() != 1) return summary(survey) + " · gradscan";
  const Scanned& only = survey.files.front();
  if (!only.report) return only.path + " · gradscan";
  return fmt::format("{}: {} · gradscan", only.report->model, in_words(*only.report, only.report->verdict).words);
}

std::string head(const Survey& survey) {
  const std::string policy = fmt::format(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
      "script-src 'sha256-{}'",
      page::script_sha256);
  return fmt::format(
      "<meta charset=\"utf-8\"/>{}<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
      "<meta name=\"color-scheme\" content=\"light dark\"/><meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n"
      "<style>{}</style>\n<script>{}</script>\n",
      element("title", escaped(title(survey))), policy, page::style, page::script);
}

std::string index_row(const Scanned& scanned, int file) {
  const std::string name = page::link(page::file_prefix(file) + "file=", page::code(scanned.path));
  const std::string outcome = scanned.report
                                  ? page::badge(*scanned.report, scanned.report->verdict)
                                  : element("span", {{"class", "badge error"}}, page::sign("error") + " not scanned");
  return element("tr",
                 element("th", {{"scope", "row"}}, name) + element("td", outcome) + element("td", escaped(in_words(scanned))));
}

// A row for each file, worst first.
std::string index(const Survey& survey) {
  if (survey.files.empty()) return element("p", "No files were scanned.");
  std::string rows;
  for (const int at : worst_first(survey)) rows += index_row(survey.files[at], at + 1);
  const std::string table = element(
      "table", {{"class", "files"}},
      element("thead", element("tr", page::header_cells({"file", "outcome", "what happens"}))) + element("tbody", rows));
  return element("nav", {{"id", "files="}}, element("h1", escaped(summary(survey))) + page::scrolling("Files", table));
}

std::string body(const Survey& survey, const PictureOptions& picture) {
  if (survey.files.size() == 1) return page::article(survey.files.front(), 0, picture);
  std::string text = index(survey);
  if (survey.files.empty()) return text;
  for (const int at : worst_first(survey)) text += page::article(survey.files[at], at + 1, picture);
  return text;
}

}  // namespace

std::string to_html(const Survey& survey, const PictureOptions& picture) {
  return fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>{}</head>\n<body>\n{}</body>\n</html>\n", head(survey),
                     element("main", body(survey, picture)));
}

}  // namespace gradscan
