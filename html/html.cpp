// The page of a Survey: one HTML file that needs nothing else, neither a network nor a script.
//
// All of it is markup, in tables and <details>; the script in html/page.js makes these handier, and the policy in its head
// lets no other script run. Style sheet and script are compiled in, see dot/CMakeLists.txt.
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
  return only.report->model + ": " + in_words(*only.report, only.report->verdict).words + " · gradscan";
}

std::string head(const Survey& survey) {
  const std::string policy =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
      "script-src 'sha256-" +
      std::string(page::script_sha256) + "'";
  return "<meta charset=\"utf-8\"/>" + element("title", escaped(title(survey))) +
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
         "<meta name=\"color-scheme\" content=\"light dark\"/><meta http-equiv=\"Content-Security-Policy\" content=\"" +
         policy + "\"/>\n<style>" + std::string(page::style) + "</style>\n<script>" + std::string(page::script) + "</script>\n";
}

std::string index_row(const Scanned& scanned, int file) {
  const std::string name = page::link(page::file_prefix(file) + "file=", page::code(scanned.path));
  const std::string outcome = scanned.report
                                  ? page::badge(*scanned.report, scanned.report->verdict)
                                  : element("span", {{"class", "badge error"}}, page::sign("error") + " not scanned");
  return element("tr",
                 element("th", {{"scope", "row"}}, name) + element("td", outcome) + element("td", escaped(in_words(scanned))));
}

// A line for each file, the worst first.
std::string index(const Survey& survey) {
  if (survey.files.empty()) return element("p", "No file was scanned.");
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
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>" + head(survey) + "</head>\n<body>\n" +
         element("main", body(survey, picture)) + "</body>\n</html>\n";
}

}  // namespace gradscan
