#include "html/remedies.h"

#include <fmt/format.h>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/fix_words.h"
#include "analyzer/report/asked_row.h"
#include "analyzer/text/prose.h"
#include "html/markup.h"
#include "html/words.h"

namespace gradscan::page {
namespace {

std::string recomputation(const Price& price) {
  if (price.forward_flops + price.backward_flops == 0) return "";
  if (price.recompute_flops == 0) return "none";
  return fmt::format("{} more work ({})", percent(price.recompute_share()), flops(price.recompute_flops));
}

// The view of a fix that does no more than choose another row of the table. Views end with the rows.
const View* view_of(const Report& report, const Fix& fix, const std::vector<View>& views) {
  const auto row = row_of(report, fix.setup);
  if (!row || !fix.edits.empty() || fix.setup.step != report.setup.step) return nullptr;
  return &views[views.size() - report.verdicts.size() + *row];
}

std::string fix(const Report& report, std::size_t number, const std::vector<View>& views) {
  const Fix& fix = report.fixes[number - 1];
  std::string text = element("p", {{"class", "change"}}, code(fix.change)), caveats;
  for (const std::string& caveat : fix.caveats) caveats += element("li", escaped(caveat));
  if (!caveats.empty()) text += element("ul", {{"class", "caveats"}}, caveats);
  const std::string price = price_in_words(fix.price, report.price);
  if (!price.empty()) text += element("p", {{"class", "price"}}, escaped(price));
  text += element("p", {{"class", "check"}},
                  fmt::format("to check, add {}{} to the command", code(fmt::format("--fix {}", number)),
                              fix.options.empty() ? "" : " or " + code(fix.options)));
  const View* view = view_of(report, fix, views);
  if (view != nullptr && !view->asked) text += element("p", {{"class", "check"}}, link(view->id, "show this setup"));
  return element("li", text) + "\n";
}

std::string row(const Report& report, const PriceRow& row) {
  const auto& [checkpointing, price] = row;
  const std::string largest = price.largest_region == none || price.largest == 0
                                  ? ""
                                  : fmt::format("{} ({})", bytes(price.largest), report.regions[price.largest_region].name);
  return element("tr", element("th", {{"scope", "row"}}, escaped(gradscan::in_words(checkpointing))) +
                           element("td", bytes(price.peak())) + element("td", bytes(price.outside)) +
                           element("td", escaped(largest)) + element("td", recomputation(price)));
}

std::string fixed_memory(const FixedMemory& fixed) {
  if (fixed.sum() == 0) return "";
  std::vector<std::string> parts{bytes(fixed.parameters) + " of parameters", bytes(fixed.gradients) + " of gradients"};
  if (fixed.buckets > 0) parts.push_back(bytes(fixed.buckets) + " of buckets");
  if (fixed.optimizer) parts.push_back(bytes(*fixed.optimizer) + " of optimizer state");
  return element(
      "p", escaped(fmt::format("In addition, every setup needs {}: {}.", bytes(fixed.sum()), enumerate(parts, parts.size()))));
}

}  // namespace

std::string fixes(const Report& report, const std::vector<View>& views) {
  if (!has_failure(report)) return "";
  if (report.fixes.empty()) return element("p", escaped(no_fix_in_words(report) + "."));
  std::string list;
  for (std::size_t number = 1; number <= report.fixes.size(); ++number) list += fix(report, number, views);
  return element("ol", {{"class", "fixes"}}, list);
}

std::string changes_without_effect(const Report& report) {
  std::string list;
  for (const NoHelp& no : report.no_help)
    list += element("dt", sign("error") + " " + code(no.change)) + element("dd", escaped(no.reason));
  return list.empty() ? "" : element("dl", {{"class", "no-help"}}, list);
}

std::string memory_and_work(const Report& report) {
  std::string rows;
  for (const PriceRow& some : report.prices)
    if (some.price.peak() > 0 || !recomputation(some.price).empty()) rows += row(report, some);
  const std::string fixed = fixed_memory(report.fixed);
  if (rows.empty()) return fixed;
  const std::string head =
      element("tr", header_cells({"checkpointing", "peak of activations", "kept from forward to backward",
                                  "on top, to recompute the largest region", "recomputation per iteration"}));
  return scrolling("Memory and work",
                   element("table", {{"class", "prices"}}, element("thead", head) + element("tbody", rows))) +
         fixed;
}

}  // namespace gradscan::page
