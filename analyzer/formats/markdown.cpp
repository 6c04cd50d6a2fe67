// A comment on a pull request. What everybody needs is visible: how many files are bad, which finding, why, how to fix it. The
// rest is folded away. Every piece is bounded, and if the comment would get longer than GitHub accepts, pieces are left out
// with a note that says so.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/groups.h"
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

constexpr std::size_t most_bytes = 65'536;  // GitHub counts characters, never more than the bytes
constexpr std::size_t names_shown = 200, rows_shown = 100;

// Takes whole pieces or leaves them out; every piece ends with a line break.
class Comment {
 public:
  // Returns whether there was room.
  bool add(const std::string& piece) {
    if (full_ || text_.size() + piece.size() > most_bytes - note_about_rest.size()) {
      full_ = true;
      return false;
    }
    text_ += piece;
    return true;
  }

  std::string take() { return std::move(text_) + std::string(full_ ? note_about_rest : ""); }

 private:
  static constexpr std::string_view note_about_rest =
      "\n*Cut here: GitHub does not accept longer comments. See the full report.*\n";
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
    case Severity::unknown:
      return "**unknown**";
    case Severity::note:
    case Severity::clean:
      break;
  }
  return "ok";
}

std::string folded(const std::string& summary, const std::string& body) {
  return fmt::format("\n<details><summary>{}</summary>\n\n{}\n</details>\n", summary, body);
}

// A line break or bar would end the cell; prose has bars only in code.
std::string row_of(const Scanned& file) {
  std::string words = markdown_prose(in_words(file));
  for (std::size_t at = 0; (at = words.find('|', at)) != std::string::npos; at += 2) words.insert(at, "\\");
  return fmt::format("| {} | {} | {} |\n", word(severity(file)), code_span(file.path, true), words);
}

std::string overview(const Survey& survey) {
  std::string text = "\n| | file | |\n| --- | --- | --- |\n";
  std::size_t rows = 0;
  for (int position : worst_first(survey))
    if (++rows <= rows_shown) text += row_of(survey.files[position]);
  if (rows > rows_shown) text += fmt::format("| | | and {} more |\n", rows - rows_shown);
  return text;
}

std::string cell(const Report& report, std::size_t position) {
  std::string words = in_words(report, report.verdicts[position]).words;
  return asked_row(report) == position ? fmt::format("**{}**", words) : words;
}

std::string table_of_setups(const Report& report) {
  std::string text =
      "| checkpointing | DDP's defaults | `find_unused_parameters` | `static_graph` |\n| --- | --- | --- | --- |\n";
  for (std::size_t row = 0; row + 2 < report.verdicts.size(); row += 3) {
    text += fmt::format("| {} | {} | {} | {} |\n", in_words(report.verdicts[row].setup.checkpointing), cell(report, row),
                        cell(report, row + 1), cell(report, row + 2));
  }
  return text;
}

std::string fixes(const Report& report) {
  std::string text = fmt::format("\n**{}**\n\n", report.fixes.empty() ? no_fix_in_words(report) : "Fixes");
  for (std::size_t at = 0; at < std::min(report.fixes.size(), fixes_shown); ++at) {
    const Fix& fix = report.fixes[at];
    text += fmt::format("{}. {}", at + 1, markdown_prose(fix.change));
    for (const std::string& caveat : fix.caveats) text += ", " + markdown_prose(caveat);
    if (std::string price = price_in_words(fix.price, report.price); !price.empty()) text += fmt::format(" ({})", price);
    text += "\n";
  }
  if (report.fixes.size() > fixes_shown) text += fmt::format("\nand {} more\n", report.fixes.size() - fixes_shown);
  return text;
}

std::string what_does_not_help(const Report& report) {
  std::string text;
  for (std::size_t at = 0; at < std::min(report.no_help.size(), failures_shown); ++at)
    text += fmt::format("- {}: {}\n", markdown_prose(report.no_help[at].change), markdown_prose(report.no_help[at].reason));
  if (report.no_help.size() > failures_shown) text += fmt::format("- and {} more\n", report.no_help.size() - failures_shown);
  return text;
}

// As in the text report: parameters of equal regions once.
std::string parameters(const Finding& finding) {
  std::string text;
  std::size_t shown = 0, groups = 0;
  for (const Group& group : finding.groups) {
    if (shown >= names_shown) break;
    ++groups;
    const std::string numbers = numbers_in_words(group);
    text += fmt::format("- {}, {} {}{}{}{}:", code_span(group.label), count(group.parameters.size(), "parameter"),
                        code_span(index_ranges(group.parameters)), numbers.empty() ? "" : ", each with ", numbers,
                        group.folded > 1 ? fmt::format(", in each of {}", group.folded) : "");
    for (const std::string& member : group.members)
      if (++shown <= names_shown) text += " " + code_span(member);
    text += "\n";
  }
  if (groups < finding.groups.size()) text += fmt::format("- and {} more such lists\n", finding.groups.size() - groups);
  return text;
}

std::size_t number_affected(const Finding& finding) {
  std::size_t number = 0;
  for (const Group& group : finding.groups) number += group.parameters.size();
  return number;
}

// The visible part of a finding.
std::string head_of(const Finding& finding) {
  std::string text = fmt::format("\n**{}**: {}\n", severity_words(finding.severity).heading, markdown_prose(finding.title));
  if (!finding.accepted.empty()) text += fmt::format("\naccepted: {}\n", markdown_prose(finding.accepted));
  return finding.why.empty() ? text : fmt::format("{}\n{}\n", text, markdown_prose(finding.why));
}

void add_finding(Comment& comment, const Report& report, const Finding& finding) {
  comment.add(head_of(finding));
  if (std::string chart = mermaid(report, finding); !chart.empty())
    comment.add(folded("where it happens, in the order of backward", fenced(chart, "mermaid")));
  if (std::size_t number = number_affected(finding); number > 0)
    comment.add(folded(count(number, "affected parameter"), parameters(finding)));
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
  comment.add(fmt::format("\n### {}: {}\n\n{}, {}, {}, torch {}\n", code_span(file.path), word(severity(file)),
                          code_span(ddp_call(report.setup)), count(report.parameters.size(), "parameter"),
                          count(report.regions.size(), "checkpoint region"), markdown_prose(report.torch)));
  comment.add("\n" + table_of_setups(report));
  for (const Finding& finding : report.findings)
    if (finding.severity != Severity::note) add_finding(comment, report, finding);
  if (has_failure(report)) comment.add(fixes(report));
  if (std::string text = what_does_not_help(report); !text.empty()) comment.add(folded("changes that do not help", text));
  if (!report.verdict.message.empty()) comment.add(folded("the error message", fenced(message(report.verdict), "text")));
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
