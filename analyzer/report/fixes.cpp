#include "analyzer/report/fixes.h"

#include <algorithm>

#include "analyzer/report/findings.h"

namespace gradscan {
namespace {

bool same_flags(const Setup& left, const Setup& right) {
  return left.find_unused_parameters == right.find_unused_parameters && left.static_graph == right.static_graph;
}

bool all_of_kind(const Report& report, Checkpointing checkpointing) {
  return std::all_of(report.regions.begin(), report.regions.end(),
                     [&](const RegionReport& region) { return to_string(region.kind) == to_string(checkpointing); });
}

// Whether a verdict is about the regions as they are asked for.
bool keeps_regions(const Report& report, const Setup& setup) {
  if (report.regions.empty()) return setup.checkpointing == Checkpointing::off;
  return setup.checkpointing == Checkpointing::as_given ? report.setup.checkpointing == Checkpointing::as_given
                                                        : all_of_kind(report, setup.checkpointing);
}

std::string change_of_flags(const Setup& setup) {
  return ddp_call(setup);
}

std::string change_of_regions(const Setup& setup) {
  switch (setup.checkpointing) {
    case Checkpointing::reentrant:
      return "checkpoint(..., use_reentrant=True)";
    case Checkpointing::non_reentrant:
      return "checkpoint(..., use_reentrant=False)";
    case Checkpointing::off:
      return "no checkpointing";
    case Checkpointing::as_given:
      break;
  }
  return "checkpointing as in the file";
}

// To be added to the command line that asked; where that has a flag which the change takes away, "--no-..." does so.
std::string options_for(const Setup& setup, const Setup& asked, bool regions_kept) {
  std::string options;
  auto add = [&](const std::string& option) { options += (options.empty() ? "" : " ") + option; };
  if (!regions_kept) {
    std::string kind(to_string(setup.checkpointing));
    std::replace(kind.begin(), kind.end(), '_', '-');
    add("--checkpointing " + kind);
  }
  auto add_flag = [&](bool wanted, bool is_set, const std::string& name) {
    if (wanted != is_set) add((wanted ? "--" : "--no-") + name);
  };
  add_flag(setup.find_unused_parameters, asked.find_unused_parameters, "find-unused-parameters");
  add_flag(setup.static_graph, asked.static_graph, "static-graph");
  return options;
}

// What one iteration cannot show about the flags.
std::vector<std::string> caveats_for(const Setup& setup, const Setup& asked) {
  if (setup.static_graph && !asked.static_graph) return {"only if every iteration runs the same graph"};
  bool unused_allowed = asked.find_unused_parameters || asked.static_graph;
  if (setup.static_graph || setup.find_unused_parameters || !unused_allowed) return {};
  return {"only if every parameter gets a gradient in every iteration"};
}

Fix fix_for(const Report& report, const Setup& setup) {
  bool regions_kept = keeps_regions(report, setup), flags_kept = same_flags(setup, report.setup);
  std::string change = regions_kept ? change_of_flags(setup)
                       : flags_kept ? change_of_regions(setup)
                                    : change_of_regions(setup) + " and " + change_of_flags(setup);
  return {.change = change,
          .options = options_for(setup, report.setup, regions_kept),
          .setup = setup,
          .caveats = caveats_for(setup, report.setup)};
}

}  // namespace

bool loses_regions(const Report& report, const Setup& setup) {
  return keeps_regions(report, setup) &&
         std::any_of(report.regions.begin(), report.regions.end(),
                     [](const RegionReport& region) { return region.lost && !region.parameters.empty(); });
}

bool repairs(const Report& report, const Verdict& verdict) {
  return verdict.outcome == Outcome::pass && verdict.unsynchronised.empty() && lost_to_checkpointing(report, verdict).empty() &&
         !loses_regions(report, verdict.setup);
}

std::vector<Fix> find_fixes(const Report& report) {
  std::vector<Fix> same_regions, same_flags_only, both;
  if (!has_conflict(report)) return {};
  for (const Verdict& verdict : report.verdicts) {
    const Setup& setup = verdict.setup;
    if (!repairs(report, verdict)) continue;
    if (report.regions.empty() && setup.checkpointing != Checkpointing::off) continue;
    bool regions_kept = keeps_regions(report, setup), flags_kept = same_flags(setup, report.setup);
    if (regions_kept && flags_kept) continue;
    if (setup.checkpointing == Checkpointing::reentrant && !regions_kept) continue;
    (regions_kept ? same_regions : flags_kept ? same_flags_only : both).push_back(fix_for(report, setup));
  }
  std::vector<Fix> fixes = std::move(same_regions);
  fixes.insert(fixes.end(), same_flags_only.begin(), same_flags_only.end());
  for (Fix& fix : both) {
    bool offered = std::any_of(fixes.begin(), fixes.end(),
                               [&](const Fix& earlier) { return earlier.setup.checkpointing == fix.setup.checkpointing; });
    if (!offered) fixes.push_back(std::move(fix));
  }
  return fixes;
}

}  // namespace gradscan
