#include "dot/page/remedies.h"

#include <cmath>

#include "analyzer/report/outcome_words.h"
#include "analyzer/report/prose.h"
#include "dot/page/markup.h"
#include "dot/page/words.h"

namespace gradscan::page {
namespace {

std::string recomputation(const Price& price) {
  if (price.forward_flops + price.backward_flops == 0) return "";
  if (price.recompute_flops == 0) return "none";
  const long percent = std::lround(100 * price.recompute_share());
  return (percent == 0 ? "under 1" : std::to_string(percent)) + " % more work (" + flops(price.recompute_flops) + ")";
}

std::string in_words(const Price& price) {
  std::string text = price.peak() == 0 ? "" : bytes(price.peak()) + " of activations";
  const std::string work = recomputation(price);
  if (!work.empty()) text += (text.empty() ? "" : "; ") + std::string("recomputation: ") + work;
  return text;
}

// The view of a fix that changes nothing besides the setup.
const View* view_of(const Fix& fix, const std::vector<View>& views) {
  if (!fix.edits.empty()) return nullptr;
  for (const View& view : views) {
    const Setup& setup = view.verdict->setup;
    if (setup.checkpointing == fix.setup.checkpointing && setup.find_unused_parameters == fix.setup.find_unused_parameters &&
        setup.static_graph == fix.setup.static_graph)
      return &view;
  }
  return nullptr;
}

std::string fix(const Fix& fix, const std::vector<View>& views) {
  std::string text = element("p", {{"class", "change"}}, code(fix.change)), caveats;
  for (const std::string& caveat : fix.caveats) caveats += element("li", escaped(caveat));
  if (!caveats.empty()) text += element("ul", {{"class", "caveats"}}, caveats);
  const std::string price = in_words(fix.price);
  if (!price.empty()) text += element("p", {{"class", "price"}}, escaped(price));
  if (!fix.options.empty())
    text += element("p", {{"class", "check"}}, "to check, add " + code(fix.options) + " to the command");
  const View* view = view_of(fix, views);
  if (view != nullptr && !view->asked) text += element("p", {{"class", "check"}}, link(view->id, "show this setup"));
  return element("li", text) + "\n";
}

std::string row(const Report& report, const PriceRow& row) {
  const auto& [checkpointing, price] = row;
  const std::string largest = price.largest_region == none || price.largest == 0
                                  ? ""
                                  : bytes(price.largest) + " (" + report.regions[price.largest_region].name + ")";
  return element("tr", element("th", {{"scope", "row"}}, escaped(gradscan::in_words(checkpointing))) +
                           element("td", bytes(price.peak())) + element("td", bytes(price.outside)) +
                           element("td", escaped(largest)) + element("td", recomputation(price)));
}

std::string fixed_memory(const FixedMemory& fixed) {
  if (fixed.sum() == 0) return "";
  std::vector<std::string> parts{bytes(fixed.parameters) + " of parameters", bytes(fixed.gradients) + " of gradients"};
  if (fixed.buckets > 0) parts.push_back(bytes(fixed.buckets) + " of buckets");
  if (fixed.optimizer) parts.push_back(bytes(*fixed.optimizer) + " of the optimizer's state");
  return element("p", escaped("Besides, in every setup: " + bytes(fixed.sum()) + ": " + enumerate(parts, parts.size()) + "."));
}

}  // namespace

std::string fixes(const Report& report, const std::vector<View>& views) {
  if (!has_conflict(report)) return "";
  if (report.fixes.empty()) return element("p", "None of the setups in the table replays clean.");
  std::string list;
  for (const Fix& some : report.fixes) list += fix(some, views);
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
    if (!in_words(some.price).empty()) rows += row(report, some);
  const std::string fixed = fixed_memory(report.fixed);
  if (rows.empty()) return fixed;
  const std::string head =
      element("tr", header_cells({"checkpointing", "activations at their peak", "kept from forward to backward",
                                  "on top, while the largest region is recomputed", "recomputation per iteration"}));
  return scrolling("Memory and work",
                   element("table", {{"class", "prices"}}, element("thead", head) + element("tbody", rows))) +
         fixed;
}

}  // namespace gradscan::page
