#include "analyzer/formats/fix_words.h"

#include <algorithm>

#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

constexpr std::size_t fixes_told = 6, failures_told = 6;

// Figures that read alike tell nothing.
std::string unless_equal(const std::string& first, const std::string& figure, const std::string& of, const std::string& asked) {
  return figure == asked ? "" : first + figure + of + " instead of " + asked;
}

void write_fix(TerminalText& out, const Report& report, std::size_t number) {
  const Fix& fix = report.fixes[number - 1];
  out.prose(std::to_string(number) + ". " + fix.change, 2, Paint::good);
  for (const std::string& caveat : fix.caveats) out.prose(caveat, 6);
  if (std::string price = price_in_words(fix.price, report.price); !price.empty()) out.prose(price, 6);
  std::string options = fix.options.empty() ? "" : ", or add " + fix.options;
  out.prose("to check: --fix " + std::to_string(number) + options, 6, Paint::dim);
}

void write_no_help(TerminalText& out, const Report& report) {
  if (report.no_help.empty()) return;
  out.heading("These changes do not help");
  for (std::size_t at = 0; at < std::min(report.no_help.size(), failures_told); ++at)
    out.prose(report.no_help[at].change + ": " + report.no_help[at].reason, 2);
  if (report.no_help.size() > failures_told)
    out.prose("and " + std::to_string(report.no_help.size() - failures_told) + " more with --format json", 2, Paint::dim);
}

}  // namespace

std::string price_in_words(const Price& price, const Price& asked) {
  if (asked.peak() == 0 && price.peak() == 0) return "";
  bool work_known = price.forward_flops + price.backward_flops > 0;
  std::string memory = unless_equal("up to ", bytes(price.peak()), " of activations", bytes(asked.peak())), work;
  if (work_known)
    work = unless_equal("", percent(price.recompute_share()), " of the work done again", percent(asked.recompute_share()));
  if (memory.empty() && work.empty()) return work_known ? "memory and work stay as they are" : "memory stays as it is";
  return memory + (memory.empty() || work.empty() ? "" : ", ") + work;
}

void write_fixes(TerminalText& out, const Report& report) {
  if (!has_conflict(report)) return;
  out.heading(report.fixes.empty() ? "No change that was tried replays clean" : "These changes replay clean");
  for (std::size_t number = 1; number <= std::min(report.fixes.size(), fixes_told); ++number) write_fix(out, report, number);
  if (report.fixes.size() > fixes_told)
    out.prose("and " + std::to_string(report.fixes.size() - fixes_told) + " more with --format json", 2, Paint::dim);
  write_no_help(out, report);
}

}  // namespace gradscan
