#include "html/regions.h"

#include <fmt/format.h>

#include "analyzer/diagnose/causes.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "html/markup.h"
#include "html/words.h"

namespace gradscan::page {
namespace {

std::string in_words(const RegionNames& names, const Place& place) {
  if (place.region != none) return "an output of " + names[place.region];
  return fmt::format("{}{}{}", place.op, place.module.empty() ? "" : " of " + place.module,
                     place.source.empty() ? "" : fmt::format(" ({})", place.source));
}

// What is unusual about the region.
std::string remarks(const RegionReport& region, const RegionNames& names) {
  std::vector<std::string> words;
  if (region.parent != none) words.push_back("inside " + names[region.parent]);
  if (region.lost) words.push_back("lost: its backward never runs");
  if (!region.arguments_without_grad.empty())
    words.push_back(
        fmt::format("{} of {} without grad", region.arguments_without_grad.size(), count(region.arguments, "argument")));
  if (region.nested_outputs > 0) words.push_back(count(region.nested_outputs, "output") + " inside a dict or list");
  for (const Place& closure : region.closures) words.push_back("uses from outside: " + in_words(names, closure));
  return words.empty() ? "" : enumerate(words, words.size());
}

std::string place_of_call(const RegionReport& region) {
  if (region.source.empty()) return "";
  return fmt::format("{}{}", code(region.source),
                     region.place.empty() ? "" : "<br/>" + element("small", escaped(region.place)));
}

class RegionRows {
 public:
  explicit RegionRows(const Report& report) : names_(report) {
    for (const RegionReport& region : report.regions) priced_ |= region.saved_bytes > 0 || region.recompute_flops > 0;
  }

  std::string head() const {
    const std::string prices = priced_ ? header_cells({"activations inside", "forward inside"}) : "";
    return element("tr",
                   header_cells({"region", "kind", "checkpoint called in", "parameters"}) + prices + header_cells({"remarks"}));
  }

  std::string row(const RegionReport& region, const Anchors& anchors) const {
    const std::string prices = priced_ ? element("td", bytes(region.saved_bytes)) +
                                             element("td", region.recompute_flops > 0 ? flops(region.recompute_flops) : "")
                                       : "";
    return element("tr", {{"id", anchors.region(region.id)}},
                   element("th", {{"scope", "row"}}, code(names_[region.id])) +
                       element("td", escaped(gradscan::in_words(region.kind))) + element("td", place_of_call(region)) +
                       element("td", std::to_string(region.parameters.size())) + prices +
                       element("td", escaped(remarks(region, names_)))) +
           "\n";
  }

 private:
  RegionNames names_;
  bool priced_ = false;
};

}  // namespace

std::string region_table(const Report& report, const Anchors& anchors) {
  if (report.regions.empty()) return "";
  const RegionRows rows(report);
  std::string body;
  for (const RegionReport& region : report.regions) body += rows.row(region, anchors);
  return scrolling("Checkpoint regions",
                   element("table", {{"class", "regions"}}, element("thead", rows.head()) + element("tbody", body)));
}

}  // namespace gradscan::page
