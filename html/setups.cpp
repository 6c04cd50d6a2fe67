#include "html/setups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "analyzer/diagnose/groups.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "html/markup.h"
#include "html/words.h"

namespace gradscan::page {
namespace {

constexpr int columns_of_flags = 3;

// ---- The table.

// A row of the table: the setups of one kind of checkpointing.
std::string row(const Report& report, const View* views) {
  std::string cells = element("th", {{"scope", "row"}}, escaped(gradscan::in_words(views[0].verdict->setup.checkpointing)));
  for (int column = 0; column < columns_of_flags; ++column) {
    const View& view = views[column];
    const std::string asked = view.asked ? " " + element("span", {{"class", "asked"}}, "this setup") : "";
    cells += element("td", link(view.id, badge(report, *view.verdict)) + asked);
  }
  return element("tr", cells);
}

// ---- A panel.

std::string ranges(const std::vector<int>& ascending) {
  std::string text = index_ranges(ascending);
  std::erase(text, '#');
  std::erase(text, ' ');
  return text;
}

// For the page's script: [["ready twice", "error", "3-158"]].
std::string outcomes_as_json(const std::vector<Outcomes>& outcomes) {
  nlohmann::json list = nlohmann::json::array();
  for (const Outcomes& some : outcomes) list.push_back({some.words, class_of(some.severity), ranges(some.parameters)});
  return list.dump();
}

std::string parameter_links(const Report& report, const Anchors& anchors, const std::vector<int>& parameters) {
  constexpr std::size_t most = 12;
  std::vector<std::string> links;
  for (std::size_t at = 0; at < parameters.size() && at < most; ++at)
    links.push_back(fmt::format("{} #{}", link(anchors.parameter(parameters[at]), code(report.parameters[parameters[at]].name)),
                                parameters[at]));
  return fmt::format("{}{}", fmt::join(links, ", "),
                     parameters.size() <= most ? "" : fmt::format(" and {} more", parameters.size() - most));
}

std::string numbers(const Group& group) {
  const std::string text = numbers_in_words(group);
  return group.reason.empty() ? text : fmt::format("{}: {}", text, group.reason);
}

std::string members(const Group& group) {
  std::string text;
  for (const std::string& member : group.members) text += (text.empty() ? "" : ", ") + code(member);
  return text;
}

std::string size(const Group& group, const Anchors& anchors) {
  const std::string text = fmt::format("{} {}", count(group.parameters.size(), "parameter"), index_ranges(group.parameters));
  const std::string linked = group.parameters.empty() ? escaped(text) : link(anchors.parameter(group.parameters[0]), text);
  if (group.folded == 1) return linked;
  return escaped(count(group.folded, group.regions.empty() ? "module" : "region")) + ", " + linked;
}

// What all groups have in common is said once, above them; names that an earlier group has are not repeated.
std::string groups(const Finding& finding, const Anchors& anchors) {
  if (finding.groups.empty()) return "";
  const std::string first = numbers(finding.groups[0]);
  const bool same =
      std::all_of(finding.groups.begin(), finding.groups.end(), [&](const Group& group) { return numbers(group) == first; });
  std::map<std::vector<std::string>, const Group*> shown;  // groups by their members
  std::string rows;
  for (const Group& group : finding.groups) {
    const Group* like = shown.try_emplace(group.members, &group).first->second;
    rows += element("tr", element("th", {{"scope", "row"}}, code(group.label)) + element("td", size(group, anchors)) +
                              (same ? "" : element("td", escaped(numbers(group)))) +
                              element("td", like == &group ? members(group) : "as in " + code(like->label))) +
            "\n";
  }
  const std::string head =
      element("tr", header_cells({"where", "which"}) + (same ? "" : header_cells({"what happens to each"})) +
                        header_cells({"names in each"}));
  return (same ? element("p", escaped("Each with " + first + ".")) : "") +
         scrolling("Affected parameters",
                   element("table", {{"class", "groups"}}, element("thead", head) + element("tbody", rows)));
}

std::string finding(const Report& report, const Anchors& anchors, const Finding& finding) {
  std::size_t affected = 0;
  for (const Group& group : finding.groups) affected += group.parameters.size();
  std::string text = element("h3", fmt::format("{} {}", headline(finding), element("small", code(finding.rule))));
  if (!finding.why.empty()) text += element("p", escaped(finding.why));
  if (affected == 0) return element("section", {{"class", class_of(finding)}}, text) + "\n";
  const std::string title = fmt::format("Affected parameters: {} of {}", affected, report.parameters.size());
  text += element("details", element("summary", title) + groups(finding, anchors));
  return element("section", {{"class", class_of(finding)}}, text) + "\n";
}

std::string when(const Verdict& verdict) {
  return verdict.iteration ? fmt::format(" in iteration {}", *verdict.iteration) : "";
}

// If only the verdict is known.
std::string verdict(const Report& report, const Anchors& anchors, const View& view) {
  std::string text = element("h3", badge(report, *view.verdict) + when(*view.verdict));
  for (const Outcomes& some : outcomes_of(report, view))
    text += element("p", escaped(fmt::format("{}: {}: ", some.words, count(some.parameters.size(), "parameter"))) +
                             parameter_links(report, anchors, some.parameters));
  return element("section", {{"class", class_of(report, *view.verdict)}}, text);
}

std::string findings(const Report& report, const Anchors& anchors, const View& view) {
  if (!view.report) return verdict(report, anchors, view);
  std::string text;
  const auto is_note = [](const Finding& finding) { return finding.severity == Severity::note; };
  if (std::all_of(view.report->findings.begin(), view.report->findings.end(), is_note))
    text += element("section", {{"class", "pass"}}, element("h3", good_news(report)));
  for (const Finding& some : view.report->findings) text += finding(*view.report, anchors, some);
  return text;
}

std::string message_of(const Verdict& verdict) {
  if (verdict.message.empty()) return "";
  const std::string title = verdict.outcome == Outcome::other ? "The error message" : "DDP's message";
  std::string lines;
  std::string_view rest = verdict.message;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines += escaped(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return element("details", element("summary", title) + element("pre", lines));
}

// An SVG has its own ids and styles: a shadow tree keeps them apart from those of the page and of other pictures.
//
// The page's script needs the parameters of each stage, which the boxes in the picture stand for: ["159-160","150-158"].
std::string picture(const Report& report, const PictureOptions& options) {
  const std::string svg = to_svg(report, options);
  const std::string shadow =
      element("template", {{"shadowrootmode", "open"}},
              "<style>svg{display:block;max-width:100%;height:auto}</style>" + svg.substr(svg.find("<svg")));
  nlohmann::json stages = nlohmann::json::array();
  for (const Stage& stage : report.stages) stages.push_back(ranges(stage.parameters));
  return element("figure", {{"data-stages", stages.dump()}}, element("div", {{"class", "canvas"}}, shadow));
}

std::string title(const View& view) {
  const Setup& setup = view.verdict->setup;
  std::string text = code(ddp_call(setup));
  if (setup.checkpointing != Checkpointing::as_given)
    text += ", checkpointing " + escaped(gradscan::in_words(setup.checkpointing));
  return view.asked ? text + " " + element("span", {{"class", "asked"}}, "this setup") : text;
}

std::string panel(const Report& report, const View& view, const Anchors& anchors, const PictureOptions& options) {
  std::string inside =
      element("summary", element("h2", title(view))) + "\n" + findings(report, anchors, view) + message_of(*view.verdict);
  if (view.report) inside += picture(*view.report, options);
  std::vector<int> named = view.verdict->parameters;
  std::sort(named.begin(), named.end());
  return element("details",
                 {{"class", "setup"},
                  {"id", view.id},
                  {"open", view.asked ? "open" : ""},
                  {"data-outcomes", outcomes_as_json(outcomes_of(report, view))},
                  {"data-named", ranges(named)}},
                 inside) +
         "\n";
}

}  // namespace

std::string setup_table(const Report& report, const std::vector<View>& views) {
  const std::size_t first = views.size() % columns_of_flags;  // the requested setup may precede the rows
  std::string rows;
  for (std::size_t at = first; at < views.size(); at += columns_of_flags) rows += row(report, &views[at]);
  if (rows.empty()) return "";
  const std::string head =
      element("tr", header_cells({"checkpointing", "DDP's defaults", "find_unused_parameters", "static_graph"}));
  return scrolling("All setups", element("table", {{"class", "setups"}}, element("thead", head) + element("tbody", rows)));
}

std::string setup_panels(const Report& report, const std::vector<View>& views, const Anchors& anchors,
                         const PictureOptions& picture) {
  std::string panels;
  for (const View& view : views) panels += panel(report, view, anchors, picture);
  return panels;
}

}  // namespace gradscan::page
