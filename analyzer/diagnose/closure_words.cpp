#include "analyzer/diagnose/closure_words.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "analyzer/diagnose/causes.h"
#include "analyzer/text/prose.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

constexpr std::size_t places_told = 3;
constexpr const char* remedy =
    "Give the tensor to the checkpointed function as an argument: then the inner backward ends at it.";

void sort_unique(std::vector<int>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// "l1 at model.py:10 (AddmmBackward0)", "region a"
std::string in_words(const RegionNames& names, const Place& place) {
  if (place.region != none) return "region " + names[place.region];
  std::string where = place.module;
  if (!place.source.empty()) where += (where.empty() ? "" : " at ") + place.source;
  return where.empty() ? place.op : where + " (" + place.op + ")";
}

std::string regions_in_words(const RegionNames& names, const std::vector<int>& regions) {
  return (regions.size() == 1 ? "region " : "regions ") + names.list(regions);
}

std::string passes_in_words(const RegionNames& names, const std::vector<int>& causes) {
  std::vector<int> regions;
  std::copy_if(causes.begin(), causes.end(), std::back_inserter(regions), [](int cause) { return cause >= 0; });
  std::string inner = "the inner backward of " + regions_in_words(names, regions);
  return regions.size() == causes.size() ? inner : inner + " and the outer backward";
}

// "The function of region f uses a tensor made by l1, outside of the region, without having it as an argument."
std::string functions_use(const Report& report, const RegionNames& names, const std::vector<int>& regions) {
  std::set<std::string> made_by;
  for (int region : regions)
    for (const Place& place : report.regions[region].closures) made_by.insert(in_words(names, place));
  bool one = regions.size() == 1;
  return (one ? "The function of the reentrant " : "The functions of the reentrant ") + regions_in_words(names, regions) +
         (one ? " uses" : " use") + " what is made outside by " +
         enumerate(std::vector<std::string>(made_by.begin(), made_by.end()), places_told) +
         " without having it as an argument.";
}

}  // namespace

std::string why_second_run(const Report& report) {
  if (!report.second_run) return "";
  std::vector<int> regions;
  for (int cause : report.second_run->causes)
    if (cause >= 0 && !report.regions[cause].closures.empty()) regions.push_back(cause);
  if (regions.empty()) return "";
  RegionNames names(report);
  return functions_use(report, names, regions) +
         " An inner backward ends at the region's arguments, but from such a tensor it runs on into the graph that made it, "
         "and "
         "frees what is saved there: " +
         passes_in_words(names, report.second_run->causes) + " come to " + in_words(names, report.second_run->place) +
         ", and the second to come there fails. " + remedy;
}

std::string why_reached_through_closures(const Report& report, const std::vector<int>& parameters) {
  std::vector<int> regions;
  for (int index : parameters)
    for (int cause : report.parameters[index].fired_by)
      if (cause >= 0 && !report.regions[cause].closures.empty() &&
          !std::binary_search(report.regions[cause].parameters.begin(), report.regions[cause].parameters.end(), index))
        regions.push_back(cause);
  sort_unique(regions);
  if (regions.empty()) return "";
  return functions_use(report, RegionNames(report), regions) +
         " So its inner backward does not end there but runs on into the graph outside, and fires the parameters that it "
         "meets. " +
         remedy;
}

}  // namespace gradscan
