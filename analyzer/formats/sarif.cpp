// SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for tools that show findings next to the code.
//
// One run, with a result per finding. Its location is the line that calls checkpoint for its first region; the calls of other
// regions are related locations. Fingerprints are made of names, not lines. Files that could not be scanned become
// notifications of the invocation.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/causes.h"
#include "analyzer/json/json.h"
#include "analyzer/review/code_lines.h"
#include "analyzer/review/fingerprint.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/version.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t related_at_most = 100, names_shown = 6;

// SARIF has no level for silent failures; they are as bad as errors.
std::string_view sarif_level(Severity severity) {
  return severity == Severity::note ? "note" : severity == Severity::unknown ? "warning" : "error";
}

Json message(std::string_view text) {
  return {{"text", legible(text)}};
}

Json artifact(const std::string& path) {
  return {{"artifactLocation", {{"uri", uri(path)}}}};
}

Json rule_of(const Rule& rule) {
  return {{"id", rule.id},
          {"shortDescription", message(rule.title)},
          {"fullDescription", message(rule.help)},
          {"help",
           {{"text", fmt::format("{}\n\nWhat to do: {}", rule.help, rule.remedy)},
            {"markdown", fmt::format("{}\n\n**What to do.** {}", rule.help, rule.remedy)}}},
          {"defaultConfiguration", {{"level", sarif_level(rule.severity)}}},
          {"properties",
           {{"tags", {"pytorch", "DistributedDataParallel", "checkpoint"}}, {"silent", rule.severity == Severity::silent}}}};
}

Json location(const CodeLine& code) {
  Json physical = artifact(code.path);
  if (code.line > 0) physical["region"] = {{"startLine", code.line}};
  return {{"physicalLocation", physical}};
}

std::string called_here(const Report& report, const CodeLine& code) {
  RegionNames region_names(report);
  std::vector<std::string> names;
  for (int region : code.regions) names.push_back(region_names[region]);
  return "checkpoint of " + enumerate(names, names_shown);
}

Json parameter_names(const Report& report, const Finding& finding) {
  Json names = Json::array();
  for (const Group& group : finding.groups)
    for (int index : group.parameters) names.push_back(report.parameters[index].name);
  return names;
}

// The result for one finding of one file.
Json result(const Scanned& file, const Finding& finding, const SourcePathOptions& options) {
  const Report& report = *file.report;
  std::vector<CodeLine> lines = code_lines(file, finding, options);
  Json json{{"ruleId", finding.rule}, {"level", sarif_level(finding.severity)}, {"message", message(remark(report, finding))}};
  json["locations"] = Json::array({location(lines[0])});
  Json related = Json::array();
  for (std::size_t at = 0; at < std::min(lines.size(), related_at_most); ++at) {
    if (lines[at].regions.empty()) continue;
    related.push_back(location(lines[at]));
    related.back()["message"] = message(called_here(report, lines[at]));
  }
  if (!related.empty()) json["relatedLocations"] = related;
  json["partialFingerprints"] = {{"model/v1", legible(report.model)}, {"finding/v1", fingerprint(report, finding)}};
  if (!finding.accepted.empty())
    json["suppressions"] = Json::array({{{"kind", "external"}, {"justification", legible(finding.accepted)}}});
  json["properties"] = {{"model", file.path},
                        {"setup", ddp_call(report.setup)},
                        {"silent", finding.severity == Severity::silent},
                        {"parameters", parameter_names(report, finding)}};
  return json;
}

Json invocation(const Survey& survey, const SourcePathOptions& options) {
  Json failures = Json::array();
  for (const Scanned& file : survey.files)
    if (!file.report)
      failures.push_back({{"level", "error"},
                          {"message", message(file.error)},
                          {"locations", Json::array({{{"physicalLocation", artifact(mapped(file.path, options))}}})}});
  return {{"executionSuccessful", failures.empty()}, {"exitCode", exit_code(survey)}, {"toolExecutionNotifications", failures}};
}

// Worst file first, and within a file the worst finding first.
Json results(const Survey& survey, const SourcePathOptions& options) {
  Json list = Json::array();
  for (int position : worst_first(survey)) {
    const Scanned& file = survey.files[position];
    if (file.report)
      for (const Finding& finding : file.report->findings) list.push_back(result(file, finding, options));
  }
  return list;
}

}  // namespace

std::string to_sarif(const Survey& survey, const SourcePathOptions& options) {
  Json rule_list = Json::array();
  for (const Rule& rule : rules()) rule_list.push_back(rule_of(rule));
  Json driver{{"name", "gradscan"}, {"version", version}, {"semanticVersion", version}, {"rules", rule_list}};
  Json run{{"tool", {{"driver", driver}}},
           {"invocations", Json::array({invocation(survey, options)})},
           {"results", results(survey, options)}};
  return forms::text_of(
      {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}});
}

}  // namespace gradscan
