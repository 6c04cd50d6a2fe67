#include "analyzer/formats/fix_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

// "up to 2 MiB of activations instead of 4 MiB"; empty if both figures read the same.
std::string unless_equal(const std::string& figure, const std::string& unit, const std::string& asked) {
  return figure == asked ? "" : fmt::format("{} {} instead of {}", figure, unit, asked);
}

void write_fix(TerminalText& out, const Report& report, std::size_t number) {
  const Fix& fix = report.fixes[number - 1];
  out.prose(fmt::format("{}. {}", number, fix.change), 2, Paint::good);
  for (const std::string& caveat : fix.caveats) out.prose(caveat, 6);
  if (std::string price = price_in_words(fix.price, report.price); !price.empty()) out.prose(price, 6);
  std::string options = fix.options.empty() ? "" : ", or add " + fix.options;
  out.prose(fmt::format("to check: --fix {}{}", number, options), 6, Paint::dim);
}

void write_no_help(TerminalText& out, const Report& report) {
  if (report.no_help.empty()) return;
  out.heading("Changes that do not help");
  for (std::size_t at = 0; at < std::min(report.no_help.size(), failures_shown); ++at)
    out.prose(fmt::format("{}: {}", report.no_help[at].change, report.no_help[at].reason), 2);
  if (report.no_help.size() > failures_shown)
    out.prose(fmt::format("and {} more with --format json", report.no_help.size() - failures_shown), 2, Paint::dim);
}

}  // namespace

std::string price_in_words(const Price& price, const Price& asked) {
  if (asked.peak() == 0 && price.peak() == 0) return "";
  bool work_known = price.forward_flops + price.backward_flops > 0;
  std::string memory = unless_equal(bytes(price.peak()), "of activations", bytes(asked.peak())), work;
  if (!memory.empty()) memory = "up to " + memory;
  if (work_known)
    work = unless_equal(percent(price.recompute_share()), "of the work recomputed", percent(asked.recompute_share()));
  if (memory.empty() && work.empty()) return work_known ? "memory and work unchanged" : "memory unchanged";
  return memory + (memory.empty() || work.empty() ? "" : ", ") + work;
}

std::string no_fix_in_words(const Report& report) {
  return report.backward_error.empty() ? "No fix found: no change that was tried replays without a conflict"
                                       : "No fix was tried: a replay does not show why training fails without DDP";
}

void write_fixes(TerminalText& out, const Report& report) {
  if (!has_failure(report)) return;
  out.heading(report.fixes.empty() ? no_fix_in_words(report) : "Fixes (each replayed without a conflict)");
  for (std::size_t number = 1; number <= std::min(report.fixes.size(), fixes_shown); ++number) write_fix(out, report, number);
  if (report.fixes.size() > fixes_shown)
    out.prose(fmt::format("and {} more with --format json", report.fixes.size() - fixes_shown), 2, Paint::dim);
  write_no_help(out, report);
}

}  // namespace gradscan
