// The text report, in the order in which a reader with nothing but DDP's message needs it: what was read, what DDP will do,
// which parameters are affected, why, what fixes it, and what every other setup would do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>

#include "analyzer/data/rules.h"
#include "analyzer/diagnose/findings.h"
#include "analyzer/diagnose/groups.h"
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/diagnose/step_words.h"
#include "analyzer/formats/fix_words.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/report/asked_row.h"
#include "analyzer/report/report.h"
#include "analyzer/text/prose.h"
#include "analyzer/text/width.h"
#include "gradscan/capture.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr std::size_t buckets_shown = 6;
constexpr std::size_t names_shown = 6;  // of captures in turn, of outputs

class Text {
 public:
  Text(const Report& report, const TextOptions& options) : report_(report), out_(options) {}

  std::string write() {
    file();
    verdict();
    for (const Finding& finding : report_.findings)
      if (finding.severity != Severity::note) details(finding);
    write_fixes(out_, report_);
    table();
    notes();
    return out_.take();
  }

 private:
  void file() {
    std::string writer = report_.written_by.empty() ? "" : "; file written by torch " + report_.written_by;
    out_.prose(fmt::format("{} (gradscan {}, torch {}{})", report_.model, report_.gradscan, report_.torch, writer), 0,
               Paint::bold);
    out_.item("parameters", parameters());
    out_.item("regions", regions());
    for (const Input& input : report_.inputs)
      out_.item("input",
                fmt::format("{} {}{}{}", input.name, tensor_in_words(input.dtype, input.shape),
                            input.requires_grad ? ", requires grad" : "",
                            input.origin == InputOrigin::unknown ? "" : fmt::format(" ({})", to_string(input.origin))));
    out_.item("loss", loss());
    for (const std::string& phrase : in_words(report_.setup.step)) out_.item("step", phrase);
    if (report_.in_turn.size() > 1)
      out_.item("graphs", fmt::format("forward calls run {} in turn", enumerate(report_.in_turn, names_shown)));
    if (report_.verdict.outcome == Outcome::pass) out_.item("buckets", buckets());
  }

  std::string parameters() const {
    std::string text = std::to_string(report_.parameters.size());
    if (report_.frozen > 0) text += fmt::format(" that require grad, and {} frozen, which DDP ignores", report_.frozen);
    if (report_.ignored > 0) text += fmt::format(", and {} excluded from DDP", report_.ignored);
    return text;
  }

  std::string regions() const {
    if (report_.regions.empty())
      return report_.regions_known ? "none: forward does not call torch.utils.checkpoint"
                                   : "the file names no checkpoint regions";
    if (report_.regions.front().in_turn > 0) return "none in this graph";
    std::map<std::string, int> kinds;
    for (const RegionReport& region : report_.regions)
      if (region.in_turn == 0)
        ++kinds[in_words(region.kind) +
                (region.origin == RegionOrigin::unknown ? "" : fmt::format(" (from {})", origin_in_words(region.origin)))];
    std::vector<std::string> parts;
    for (const auto& [kind, number] : kinds) parts.push_back(fmt::format("{} {}", number, kind));
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  // In the order of the all-reduce.
  std::string buckets() const {
    std::vector<std::string> sizes;
    for (const std::vector<int>& bucket : report_.buckets) sizes.push_back(bytes(bytes_of(bucket)));
    if (sizes.size() == 1) return "1 of " + sizes.front();
    return fmt::format("{}, reduced in this order: {}", sizes.size(), enumerate(sizes, buckets_shown));
  }

  std::int64_t bytes_of(const std::vector<int>& bucket) const {
    std::int64_t total = 0;
    for (int index : bucket) {
      const ParameterReport& parameter = report_.parameters[index];
      total +=
          std::accumulate(parameter.shape.begin(), parameter.shape.end(), element_size(parameter.dtype), std::multiplies());
    }
    return total;
  }

  std::string loss() const {
    std::vector<std::string> taken, left, hidden;
    for (const Output& output : report_.outputs)
      if (!output.found_by_ddp) hidden.push_back(output.path);
    for (const Output& output : report_.outputs)
      (output.in_loss ? taken : left).push_back(fmt::format("{} {}", output.path, tensor_in_words(output.dtype, output.shape)));
    std::string text = (taken.size() > 1 ? "sum of " : "") + (taken.empty() ? "none" : enumerate(taken, names_shown));
    if (!left.empty()) text += "; not used: " + enumerate(left, names_shown);
    if (has_doubtful_loss(report_)) text += "; this is a guess: pass loss= to gradscan.record, or --loss";
    return hidden.empty() ? text : text + "; DDP does not find " + enumerate(hidden, names_shown);
  }

  void verdict() {
    out_.heading(fmt::format("{}{}:", ddp_call(report_.setup), checkpointing_asked()), Paint::bold);
    bool sound = true;
    for (const Finding& finding : report_.findings) {
      if (finding.severity == Severity::note) continue;
      headline(finding);
      sound = false;
    }
    if (report_.verdict.outcome != Outcome::pass) {
      out_.blank();
      out_.prose(report_.verdict.outcome == Outcome::other ? "The error message:" : "DDP's message:", 2);
      out_.quote(report_.verdict.message, "  | ");
    }
    if (sound) out_.prose("OK: " + good_news(), 2, Paint::good);
  }

  void headline(const Finding& finding) {
    const std::string words = fmt::format("{}: {}", severity_words(finding.severity).heading, finding.title);
    if (!finding.accepted.empty()) return out_.prose(fmt::format("{} (accepted: {})", words, finding.accepted), 2);
    out_.prose(words, 2, paint_of(finding.severity));
  }

  std::string checkpointing_asked() const {
    if (report_.regions.empty() || report_.setup.checkpointing == Checkpointing::as_given) return "";
    return ", checkpointing " + in_words(report_.setup.checkpointing);
  }

  std::string good_news() const {
    bool all_once = report_.in_turn.size() <= 1 &&
                    std::all_of(report_.parameters.begin(), report_.parameters.end(),
                                [](const ParameterReport& parameter) { return parameter.fired_by.size() == 1; });
    return fmt::format("{}{} pass, and all gradients are averaged across the ranks",
                       all_once ? "every parameter fires once per iteration, " : "", iterations_in_words(report_.verdict));
  }

  void details(const Finding& finding) {
    std::size_t affected = 0;
    for (const Group& group : finding.groups) affected += group.parameters.size();
    if (affected > 0) {
      out_.heading(fmt::format("Affected parameters: {} of {}", affected, report_.parameters.size()));
      groups(finding);
    }
    if (finding.why.empty()) return;
    out_.heading("Why");
    out_.prose(finding.why, 2);
  }

  // What all groups have in common comes first, once.
  void groups(const Finding& finding) {
    const Group& first = finding.groups.front();
    bool one_reason = std::all_of(finding.groups.begin(), finding.groups.end(), [&](const Group& group) {
      return numbers(group) == numbers(first) && group.reason == first.reason;
    });
    bool many = finding.groups.size() > 1 || first.parameters.size() > 1;
    if (one_reason && !numbers(first).empty()) out_.prose((many ? "each with " : "with ") + numbers(first), 2);
    std::map<std::vector<std::string>, const Group*> shown;  // groups by their members
    for (const Group& group : finding.groups) {
      out_.prose(fmt::format("{}: {}", group.label, size(group)), 2, Paint::bold);
      const Group* same = shown.try_emplace(group.members, &group).first->second;
      out_.prose(same == &group ? members(group) : "the same names as in " + same->label, 6);
      if (!one_reason && !numbers(group).empty()) out_.prose(numbers(group), 6);
    }
  }

  static std::string numbers(const Group& group) {
    std::string text = numbers_in_words(group);
    return group.reason.empty() ? text : fmt::format("{}: {}", text, group.reason);
  }

  static std::string size(const Group& group) {
    std::string text = fmt::format("{} {}", count(group.parameters.size(), "parameter"), index_ranges(group.parameters));
    if (group.folded == 1) return text;
    return fmt::format("{}, {}, in each", count(group.folded, group.regions.empty() ? "module" : "region"), text);
  }

  // All names; those of one module are folded: "bn1.{weight, bias}".
  static std::string members(const Group& group) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0, end; begin < group.members.size(); begin = end) {
      std::string module = module_of(group.members[begin]);
      end = begin + 1;
      while (end < group.members.size() && module_of(group.members[end]) == module) ++end;
      parts.push_back(folded(group.members, begin, end, module));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  static std::string module_of(const std::string& name) { return name.substr(0, name.rfind('.') + 1); }

  static std::string folded(const std::vector<std::string>& names, std::size_t begin, std::size_t end,
                            const std::string& module) {
    if (end - begin == 1) return names[begin];
    std::vector<std::string> parts;
    for (std::size_t at = begin; at < end; ++at) parts.push_back(names[at].substr(module.size()));
    std::string text = fmt::format("{}", fmt::join(parts, ", "));
    return module.empty() ? text : fmt::format("{}{{{}}}", module, text);
  }

  void table() {
    out_.heading("All setups");
    if (report_.regions.empty()) out_.prose("(no checkpoint regions, so all rows are the same)", 2);
    std::vector<std::string> header{"checkpointing", "DDP's defaults", "find_unused_parameters", "static_graph"};
    std::string line = "  " + padded(header[0], widths[0]);
    for (std::size_t column = 1; column < header.size(); ++column) line += padded(header[column], widths[column]);
    out_.raw(trimmed(line) + "\n");
    for (std::size_t row = 0; row + 2 < report_.verdicts.size(); row += 3) this->row(row);
    if (std::none_of(report_.verdicts.begin(), report_.verdicts.end(), [&](auto& verdict) { return is_asked(verdict.setup); }))
      out_.prose(fmt::format("this setup: {}{}: {}", ddp_call(report_.setup), checkpointing_asked(),
                             in_words(report_, report_.verdict).words),
                 2);
    else
      out_.prose("> this setup", 2, Paint::dim);
  }

  // Column widths. An outcome has at most 18 characters, plus two for the mark, so the table is 80 columns wide.
  static constexpr std::array<std::size_t, 4> widths{15, 21, 24, 0};

  void row(std::size_t first) {
    std::string line = "  " + padded(in_words(report_.verdicts[first].setup.checkpointing), widths[0] - 2);
    for (std::size_t column = 0; column < 3; ++column) {
      const Verdict& verdict = report_.verdicts[first + column];
      OutcomeWords outcome = in_words(report_, verdict);
      std::size_t length = outcome.words.size() + 2;
      line += (is_asked(verdict.setup) ? "> " : "  ") + out_.painted(outcome.words, paint_of(outcome.severity));
      if (column < 2) line += std::string(widths[column + 1] - length, ' ');
    }
    out_.raw(line + "\n");
  }

  static std::string trimmed(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); }

  bool is_asked(const Setup& setup) const {
    const Setup& asked = report_.setup;
    return setup.find_unused_parameters == asked.find_unused_parameters && setup.static_graph == asked.static_graph &&
           (setup.checkpointing == asked.checkpointing ||
            (asked.checkpointing == Checkpointing::as_given && is_kind_of_all(report_, setup.checkpointing)));
  }

  void notes() {
    bool any = !report_.notes.empty() || std::any_of(report_.findings.begin(), report_.findings.end(),
                                                     [](const Finding& finding) { return finding.severity == Severity::note; });
    if (!any) return;
    out_.heading("Notes");
    for (const Finding& finding : report_.findings) {
      if (finding.severity != Severity::note) continue;
      out_.prose(finding.why.empty() ? finding.title : fmt::format("{}. {}", finding.title, finding.why), 2);
      if (!finding.groups.empty()) groups(finding);
    }
    for (const std::string& note : report_.notes) out_.prose(note, 2);
  }

  const Report& report_;
  TerminalText out_;
};

}  // namespace

std::string to_text(const Report& report, const TextOptions& options) {
  return Text(report, options).write();
}

}  // namespace gradscan
