#include "analyzer/diagnose/closure_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "analyzer/base/sort_unique.h"
#include "analyzer/diagnose/causes.h"
#include "analyzer/text/prose.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

constexpr std::size_t places_listed = 3;
constexpr const char* remedy =
    "Pass the tensor to the checkpointed function as an argument: the inner backward then ends there.";

// "l1 at model.py:10 (AddmmBackward0)", "region a"
std::string in_words(const RegionNames& names, const Place& place) {
  if (place.region != none) return "region " + names[place.region];
  if (place.module.empty() && place.source.empty()) return place.op;
  const char* at = place.module.empty() || place.source.empty() ? "" : " at ";
  return fmt::format("{}{}{} ({})", place.module, at, place.source, place.op);
}

std::string regions_in_words(const RegionNames& names, const std::vector<int>& regions) {
  return fmt::format("{} {}", regions.size() == 1 ? "region" : "regions", names.list(regions));
}

std::string passes_in_words(const RegionNames& names, const std::vector<Cause>& causes) {
  const std::vector<int> regions = regions_of(causes);
  return fmt::format("the inner {} of {}{}", regions.size() == 1 ? "backward" : "backwards", regions_in_words(names, regions),
                     regions.size() == causes.size() ? "" : " and the outer backward");
}

// "The function of the reentrant region f uses a tensor made outside by l1, without taking it as an argument."
std::string functions_use(const Report& report, const RegionNames& names, const std::vector<int>& regions) {
  std::set<std::string> made_by;
  for (int region : regions)
    for (const Place& place : report.regions[region].closures) made_by.insert(in_words(names, place));
  const bool one = regions.size() == 1, one_tensor = made_by.size() == 1;
  return fmt::format("The {} of the reentrant {} {} {} made outside by {}, without taking {}.", one ? "function" : "functions",
                     regions_in_words(names, regions), one ? "uses" : "use", one_tensor ? "a tensor" : "tensors",
                     enumerate(std::vector<std::string>(made_by.begin(), made_by.end()), places_listed),
                     one_tensor ? "it as an argument" : "them as arguments");
}

}  // namespace

std::string why_second_run(const Report& report) {
  if (!report.second_run) return "";
  std::vector<int> regions;
  for (int region : regions_of(report.second_run->causes))
    if (!report.regions[region].closures.empty()) regions.push_back(region);
  if (regions.empty()) return "";
  RegionNames names(report);
  return fmt::format(
      "{} An inner backward ends at the region's arguments, but from such a tensor it continues into the graph that made "
      "it and frees what is saved there: {} reach {}, and the second to arrive fails. {}",
      functions_use(report, names, regions), passes_in_words(names, report.second_run->causes),
      in_words(names, report.second_run->place), remedy);
}

std::string why_reached_through_closures(const Report& report, const std::vector<int>& parameters) {
  std::vector<int> regions;
  for (int index : parameters)
    for (int region : regions_of(report.parameters[index].fired_by))
      if (!report.regions[region].closures.empty() &&
          !std::binary_search(report.regions[region].parameters.begin(), report.regions[region].parameters.end(), index))
        regions.push_back(region);
  sort_unique(regions);
  if (regions.empty()) return "";
  return fmt::format(
      "{} So {} inner backward does not end there but continues into the graph outside and fires the parameters that it meets. "
      "{}",
      functions_use(report, RegionNames(report), regions), regions.size() == 1 ? "its" : "their", remedy);
}

}  // namespace gradscan
