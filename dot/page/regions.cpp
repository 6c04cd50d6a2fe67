#include "dot/page/regions.h"

#include "analyzer/report/causes.h"
#include "analyzer/report/outcome_words.h"
#include "analyzer/report/prose.h"
#include "dot/page/markup.h"
#include "dot/page/words.h"

namespace gradscan::page {
namespace {

std::string place(const RegionNames& names, const Place& place) {
  if (place.region != none) return "an output of " + names[place.region];
  std::string text = place.op + (place.module.empty() ? "" : " of " + place.module);
  return place.source.empty() ? text : text + " (" + place.source + ")";
}

// What is unusual about it.
std::string remarks(const RegionReport& region, const RegionNames& names) {
  std::vector<std::string> words;
  if (region.parent != none) words.push_back("inside of " + names[region.parent]);
  if (region.lost) words.push_back("lost: its backward never runs");
  if (!region.arguments_without_grad.empty())
    words.push_back(std::to_string(region.arguments_without_grad.size()) + " of " + count(region.arguments, "argument") +
                    " without grad");
  if (region.nested_outputs > 0) words.push_back(count(region.nested_outputs, "output") + " inside of a dict or list");
  for (const Place& closure : region.closures) words.push_back("uses from outside: " + place(names, closure));
  return words.empty() ? "" : enumerate(words, words.size());
}

std::string row(const RegionReport& region, const RegionNames& names, const Anchors& anchors) {
  const std::string source =
      region.file.empty() ? region.source : region.file + region.source.substr(region.source.rfind(':') + 1);
  return element("tr", {{"id", anchors.region(region.id)}},
                 element("th", {{"scope", "row"}}, code(names[region.id])) + element("td", escaped(in_words(region.kind))) +
                     element("td", code(region.source)) + element("td", std::to_string(region.parameters.size())) +
                     element("td", region.saved_bytes > 0 ? bytes(region.saved_bytes) : "") +
                     element("td", region.recompute_flops > 0 ? flops(region.recompute_flops) : "") +
                     element("td", escaped(remarks(region, names)))) +
         "\n";
}

}  // namespace

std::string region_table(const Report& report, const Anchors& anchors) {
  if (report.regions.empty()) return "";
  const RegionNames names(report);
  std::string rows;
  for (const RegionReport& region : report.regions) rows += row(region, names, anchors);
  const std::string head = element("tr", header_cells({"region", "kind", "checkpoint is called in", "parameters",
                                                       "activations inside", "forward inside", "remarks"}));
  return scrolling("Checkpoint regions",
                   element("table", {{"class", "regions"}}, element("thead", head) + element("tbody", rows)));
}

}  // namespace gradscan::page
