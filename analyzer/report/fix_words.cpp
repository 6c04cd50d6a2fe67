#include "analyzer/report/fix_words.h"

#include "analyzer/report/prose.h"

namespace gradscan {
namespace {

// What the checkpointing has saved and cost.
std::string price_of_no_checkpointing(const Report& report) {
  std::int64_t memory = 0, work = 0;
  for (const RegionReport& region : report.regions) {
    if (region.parent != none) continue;
    memory += region.saved_bytes;
    work += region.recompute_flops;
  }
  if (memory == 0) return "";
  return "keeps up to " + bytes(memory) + " of activations for these inputs" +
         (work > 0 ? "; saves recomputing " + flops(work) + " per iteration" : "");
}

}  // namespace

void write_fixes(Page& page, const Report& report) {
  if (!has_conflict(report)) return;
  if (report.fixes.empty()) return page.heading("None of the setups in the table replays clean");
  page.heading("These changes replay clean");
  for (const Fix& fix : report.fixes) {
    std::string price = fix.setup.checkpointing == Checkpointing::off ? price_of_no_checkpointing(report) : "";
    page.prose(fix.change, 2, Paint::good);
    for (const std::string& caveat : fix.caveats) page.prose(caveat, 6);
    if (!price.empty()) page.prose(price, 6);
    page.prose("to check, add " + fix.options + " to the command", 6, Paint::dim);
  }
}

}  // namespace gradscan
