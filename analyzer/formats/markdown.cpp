// A comment on a pull request. What everybody needs stands open: how many are bad, which finding, why, what repairs it; the
// rest is folded away. Every piece is bounded, and pieces are left out, with a word about it, before the comment would be
// longer than GitHub accepts.
#include <algorithm>
#include <optional>
#include <sstream>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/fix_words.h"
#include "analyzer/formats/markdown_text.h"
#include "analyzer/formats/mermaid.h"
#include "analyzer/formats/survey_words.h"
#include "analyzer/report/asked_row.h"
#include "analyzer/report/survey.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr std::size_t most_bytes = 65'536;  // GitHub counts characters, of which there are no more
constexpr std::size_t fixes_told = 6, failures_told = 6, names_told = 200, rows_told = 100;

// Pieces that are taken whole or left out; every piece ends with a line break.
class Comment {
 public:
  // Tells whether there was room.
  bool add(const std::string& piece) {
    if (full_ || text_.size() + piece.size() > most_bytes - word_about_rest.size()) {
      full_ = true;
      return false;
    }
    text_ += piece;
    return true;
  }

  std::string take() { return std::move(text_) + std::string(full_ ? word_about_rest : ""); }

 private:
  static constexpr std::string_view word_about_rest =
      "\n*The rest is left out, for GitHub takes no longer comment: see the whole report.*\n";
  std::string text_;
  bool full_ = false;
};

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::failed:
      return "could not be scanned";
    case Severity::error:
      return "**error**";
    case Severity::silent:
      return "**silent failure**";
    case Severity::note:
    case Severity::clean:
      break;
  }
  return "ok";
}

std::string folded(const std::string& summary, const std::string& body) {
  return "\n<details><summary>" + summary + "</summary>\n\n" + body + "\n</details>\n";
}

// In a cell a line break or bar would end it; prose has no bar outside of code.
std::string row_of(const Scanned& file) {
  std::string words = markdown_prose(in_words(file));
  for (std::size_t at = 0; (at = words.find('|', at)) != std::string::npos; at += 2) words.insert(at, "\\");
  return "| " + std::string(word(severity(file))) + " | " + code_span(file.path, true) + " | " + words + " |\n";
}

std::string overview(const Survey& survey) {
  std::string text = "\n| | file | |\n| --- | --- | --- |\n";
  std::size_t rows = 0;
  for (int position : worst_first(survey))
    if (++rows <= rows_told) text += row_of(survey.files[position]);
  if (rows > rows_told) text += "| | | and " + std::to_string(rows - rows_told) + " more |\n";
  return text;
}

std::string cell(const Report& report, std::size_t position) {
  std::string words = in_words(report, report.verdicts[position]).words;
  return asked_row(report) == position ? "**" + words + "**" : words;
}

std::string table_of_setups(const Report& report) {
  std::string text =
      "| checkpointing | DDP's defaults | `find_unused_parameters` | `static_graph` |\n| --- | --- | --- | --- |\n";
  for (std::size_t row = 0; row + 2 < report.verdicts.size(); row += 3) {
    text += "| " + in_words(report.verdicts[row].setup.checkpointing) + " |";
    for (std::size_t column = 0; column < 3; ++column) text += " " + cell(report, row + column) + " |";
    text += "\n";
  }
  return text;
}

std::string fixes(const Report& report) {
  std::string text =
      "\n**" + std::string(report.fixes.empty() ? "No change that was tried replays clean" : "What repairs it") + "**\n\n";
  for (std::size_t at = 0; at < std::min(report.fixes.size(), fixes_told); ++at) {
    const Fix& fix = report.fixes[at];
    text += std::to_string(at + 1) + ". " + markdown_prose(fix.change);
    for (const std::string& caveat : fix.caveats) text += ", " + markdown_prose(caveat);
    if (std::string price = price_in_words(fix.price, report.price); !price.empty()) text += " (" + price + ")";
    text += "\n";
  }
  if (report.fixes.size() > fixes_told) text += "\nand " + std::to_string(report.fixes.size() - fixes_told) + " more\n";
  return text;
}

std::string what_does_not_help(const Report& report) {
  std::string text;
  for (std::size_t at = 0; at < std::min(report.no_help.size(), failures_told); ++at)
    text += "- " + markdown_prose(report.no_help[at].change) + ": " + markdown_prose(report.no_help[at].reason) + "\n";
  if (report.no_help.size() > failures_told)
    text += "- and " + std::to_string(report.no_help.size() - failures_told) + " more\n";
  return text;
}

// As the text report has them: those of equal regions once.
std::string parameters(const Finding& finding) {
  std::string text;
  std::size_t told = 0, groups = 0;
  for (const Group& group : finding.groups) {
    if (told >= names_told) break;
    ++groups;
    text += "- " + code_span(group.label) + ", " + count(group.parameters.size(), "parameter") + " " +
            code_span(index_ranges(group.parameters)) + ", each with " + count(group.firings, "firing") + " and " +
            count(group.ready_marks, "ready mark") + (group.folded > 1 ? ", in each of " + std::to_string(group.folded) : "") +
            ":";
    for (const std::string& member : group.members)
      if (++told <= names_told) text += " " + code_span(member);
    text += "\n";
  }
  if (groups < finding.groups.size()) text += "- and " + std::to_string(finding.groups.size() - groups) + " more such lists\n";
  return text;
}

std::size_t number_concerned(const Finding& finding) {
  std::size_t number = 0;
  for (const Group& group : finding.groups) number += group.parameters.size();
  return number;
}

// The open part of a finding.
std::string head_of(const Finding& finding) {
  std::string text = "\n**" + std::string(finding.severity == Severity::error ? "ERROR" : "SILENT FAILURE") +
                     "**: " + markdown_prose(finding.title) + "\n";
  if (!finding.accepted.empty()) text += "\naccepted: " + markdown_prose(finding.accepted) + "\n";
  return finding.why.empty() ? text : text + "\n" + markdown_prose(finding.why) + "\n";
}

void add_finding(Comment& comment, const Report& report, const Finding& finding) {
  comment.add(head_of(finding));
  if (std::string chart = mermaid(report, finding); !chart.empty())
    comment.add(folded("where, in the order of backward", fenced(chart, "mermaid")));
  if (std::size_t number = number_concerned(finding); number > 0)
    comment.add(folded(count(number, "parameter") + " concerned", parameters(finding)));
}

// DDP's messages are single lines of a thousand characters.
std::string message(const Verdict& verdict) {
  std::string text;
  std::istringstream lines(verdict.message);
  for (std::string line; std::getline(lines, line);) text += wrap(legible(line), 100, "", "");
  return text;
}

void add_report(Comment& comment, const Scanned& file) {
  const Report& report = *file.report;
  comment.add("\n### " + code_span(file.path) + ": " + std::string(word(severity(file))) + "\n\n" +
              code_span(ddp_call(report.setup)) + ", " + count(report.parameters.size(), "parameter") + ", " +
              count(report.regions.size(), "checkpoint region") + ", torch " + markdown_prose(report.torch) + "\n");
  comment.add("\n" + table_of_setups(report));
  for (const Finding& finding : report.findings)
    if (finding.severity != Severity::note) add_finding(comment, report, finding);
  if (has_conflict(report)) comment.add(fixes(report));
  if (std::string text = what_does_not_help(report); !text.empty()) comment.add(folded("what does not help", text));
  if (!report.verdict.message.empty()) comment.add(folded("the error's own words", fenced(message(report.verdict), "text")));
}

}  // namespace

std::string to_markdown(const Survey& survey) {
  Comment comment;
  comment.add("## gradscan: " + summary(survey) + "\n");
  bool alone = survey.files.size() == 1;
  if (!alone || !survey.files[0].report) comment.add(overview(survey));
  for (int position : worst_first(survey)) {
    const Scanned& file = survey.files[position];
    if (file.report && (alone || severity(file) != Severity::clean)) add_report(comment, file);
  }
  return comment.take();
}

}  // namespace gradscan
