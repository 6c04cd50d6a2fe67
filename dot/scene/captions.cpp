#include "dot/scene/captions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/report/survey.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "analyzer/text/width.h"
#include "dot/layout/labels.h"
#include "dot/layout/sizes.h"

namespace gradscan {
namespace {

constexpr double title_column = text_column - 26;  // beside the sign
constexpr std::size_t prose_lines = 6;
constexpr std::size_t fixes_shown = 3;

std::string name(const std::string& text, std::size_t columns) {
  return elided(legible(text), columns);
}

void add_lines(std::vector<Line>& lines, const std::string& text, Line::Style style, Setting setting) {
  const double width = style == Line::strong ? title_column : text_column;
  auto wrapped = wrap(legible(text), width, points(setting, style), style == Line::strong);
  const bool cut = wrapped.size() > prose_lines;
  if (cut) wrapped.resize(prose_lines);
  for (const std::string& line : wrapped) lines.push_back({line, style});
  if (cut) lines.back().text += " …";
}

// ---- Above.

std::string title_of_named(const Report& report, int parameter) {
  const ParameterReport& named = report.parameters[parameter];
  const std::string subject = fmt::format("{} (#{}) is", name(named.name, 44), parameter);
  if (report.verdict.outcome == Outcome::pass)
    return fmt::format("{} {}", subject,
                       find_rule(report.verdict.unsynchronised.empty() ? "not-trained" : "not-averaged")->fate);
  const bool sometimes =
      report.verdict.outcome == Outcome::unfinished_reduction && !named.idle_in.empty() && report.in_turn.size() > 1;
  return fmt::format("{} {} iteration {}", subject,
                     sometimes ? "not marked ready in every iteration: DDP stops in" : rule_of(report.verdict.outcome).fate,
                     report.verdict.iteration.value_or(0));
}

std::string title_without_name(const Report& report) {
  if (report.verdict.outcome != Outcome::pass)
    return fmt::format("Training stops in iteration {}", report.verdict.iteration.value_or(0));
  if (has_failure(report)) return "Part of the gradient is missing; DDP is silent";
  if (has_conflict(report)) return "What DDP will do is unknown";
  const auto once = [](const ParameterReport& parameter) { return parameter.fired_by.size() == 1; };
  const bool all = report.in_turn.size() <= 1 && std::all_of(report.parameters.begin(), report.parameters.end(), once);
  return all ? "No conflict: every parameter fires once" : "No conflict: DDP accepts how often each parameter fires";
}

// "So are 155 more parameters in 16 reentrant regions."
std::string companions(const Selection& selection, const Report& report) {
  const int finding = selection.finding[selection.named[0]];
  const auto same = std::count(selection.finding.begin(), selection.finding.end(), finding);
  std::set<int> regions;
  std::set<Kind> kinds;
  for (const auto& uses : selection.uses) {
    for (const Use& use : uses) {
      if (use.region == none || selection.finding[use.parameter] != finding) continue;
      regions.insert(use.region);
      kinds.insert(report.regions[use.region].kind);
    }
  }
  if (same < 2) return "";
  const std::string where = count(regions.size(), kinds.size() == 1 ? in_words(*kinds.begin()) + " region" : "region");
  return fmt::format("So {} {}{}.", same == 2 ? "is" : "are", count(same - 1, "more parameter"),
                     regions.empty() ? "" : " in " + where);
}

std::string subject(const Report& report) {
  std::vector<std::string> parts{name(report.model, 40) + (report.in_turn.size() > 1 ? " and other graphs in turn" : ""),
                                 ddp_call(report.setup), "torch " + legible(report.torch)};
  if (report.setup.checkpointing != Checkpointing::as_given)
    parts.push_back(fmt::format("checkpointing {} everywhere", in_words(report.setup.checkpointing)));
  for (const std::string& phrase : in_words(report.setup.step)) parts.push_back(phrase);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string what_is_drawn(const Selection& selection, const PictureOptions& options) {
  if (options.whole) return "This is the whole model.";
  if (selection.focus.name.empty()) return "";
  const std::string apart = options.radius > 0 ? fmt::format(", with each stage within {}", count(options.radius, "edge")) : "";
  return fmt::format("Drawn around {}{}; all other stages are folded.", name(selection.focus.name, 60), apart);
}

void add_header(Scene& scene, const Report& report, const Selection& selection, const PictureOptions& options) {
  const auto add = [&](const std::string& text, Line::Style style) { add_lines(scene.header, text, style, Setting::heading); };
  add(selection.named.empty() ? title_without_name(report) : title_of_named(report, selection.named[0]), Line::strong);
  add(subject(report), Line::small);
  if (!selection.named.empty()) add(companions(selection, report), Line::plain);
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::note) continue;
    add(finding.why, Line::plain);
    break;
  }
  add(what_is_drawn(selection, options), Line::plain);
}

// ---- Below.

std::string left_out(const Selection& selection) {
  const auto calm = std::count(selection.finding.begin(), selection.finding.end(), none);
  if (selection.named.empty() || calm == 0 || !selection.focus.name.empty()) return "";
  return fmt::format("Not shown by name: {} without a conflict, and the operations inside the boxes.",
                     count(calm, "parameter"));
}

std::string folded_of_whole(const Selection& selection, const PictureOptions& options) {
  std::size_t stages = 0;
  for (const Segment& segment : selection.segments)
    if (!segment.full && segment.last > segment.first) stages += segment.last - segment.first + 1;
  if (!options.whole || stages == 0) return "";
  return fmt::format("Too large to draw in full: {} of {} stages are folded into boxes with a double outline.", stages,
                     selection.stages.size());
}

std::string with_caveats(const Fix& fix) {
  return fix.caveats.empty() ? fix.change : fmt::format("{} ({})", fix.change, fmt::join(fix.caveats, "; "));
}

void add_fixes(std::vector<Line>& footer, const Report& report) {
  if (report.fixes.empty()) return;
  const auto add = [&](const std::string& text, Line::Style style) { add_lines(footer, text, style, Setting::body); };
  add("Fixes (each replayed without a conflict):", Line::strong);
  for (std::size_t i = 0; i < report.fixes.size() && i < fixes_shown; ++i)
    add(fmt::format("{}. {}", i + 1, with_caveats(report.fixes[i])), Line::plain);
  if (report.fixes.size() > fixes_shown)
    add(fmt::format("and {} more in the other reports", report.fixes.size() - fixes_shown), Line::small);
}

void add_footer(Scene& scene, const Report& report, const Selection& selection, const PictureOptions& options) {
  const auto add = [&](const std::string& text) { add_lines(scene.footer, text, Line::small, Setting::body); };
  add(left_out(selection));
  add(folded_of_whole(selection, options));
  for (const Finding& finding : report.findings)
    if (finding.severity == Severity::note) add(finding.title);
  add_fixes(scene.footer, report);
}

std::string prose(const Scene& scene) {
  std::string text;
  for (const auto* lines : {&scene.header, &scene.footer})
    for (const Line& line : *lines)
      if (line.style != Line::strong || lines == &scene.footer) text += (text.empty() ? "" : " ") + line.text;
  return text;
}

}  // namespace

void add_captions(Scene& scene, const Report& report, const Selection& selection, const PictureOptions& options) {
  const Finding* worst = worst_finding(report);
  scene.severity = report.verdict.outcome != Outcome::pass ? Severity::error : worst ? worst->severity : Severity::clean;
  add_header(scene, report, selection, options);
  add_footer(scene, report, selection, options);
  scene.summary = prose(scene);
}

}  // namespace gradscan
