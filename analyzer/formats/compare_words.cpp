// A comparison as text and as JSON (docs/report-format.md).
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/comparison_fields.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

class Text {
 public:
  Text(const Comparison& comparison, const TextOptions& options) : comparison_(comparison), out_(options) {}

  std::string write() {
    side("first", comparison_.first);
    side("second", comparison_.second);
    summary();
    differences("Decisive differences", true);
    differences(any_decides() ? "Other differences" : "Differences", false);
    return out_.take();
  }

 private:
  void side(const std::string& term, const Report& report) {
    out_.item(term, fmt::format("{}, {}: {}", report.model, ddp_call(report.setup), in_words(report, report.verdict).words), 0,
              8);
  }

  bool any_decides() const {
    return std::any_of(comparison_.differences.begin(), comparison_.differences.end(),
                       [](const Difference& difference) { return difference.decides; });
  }

  void summary() {
    std::string sentence = summary_in_words();
    if (sentence.empty()) return;
    out_.blank();
    out_.prose(sentence);
  }

  std::string summary_in_words() const {
    if (comparison_.differences.empty()) return "There is no difference in what gradscan compares.";
    if (comparison_.same_outcome) return "Both have the same outcome, so no difference is decisive.";
    if (any_decides()) return "";
    return comparison_.together ? "No difference is decisive by itself. All those that can be applied to the first, together, "
                                  "give it the second's outcome."
                                : "None of the differences that can be applied to the first is decisive.";
  }

  void differences(const std::string& heading, bool decide) {
    auto belongs = [&](const Difference& difference) { return difference.decides == decide; };
    if (std::none_of(comparison_.differences.begin(), comparison_.differences.end(), belongs)) return;
    out_.heading(heading);
    for (const Difference& difference : comparison_.differences)
      if (belongs(difference)) write(difference);
  }

  void write(const Difference& difference) {
    out_.prose(fmt::format("{}: {} in the first, {} in the second", difference.what, difference.first, difference.second), 2,
               difference.decides ? Paint::good : Paint::plain);
    out_.prose(effect(difference), 6, Paint::dim);
  }

  std::string effect(const Difference& difference) const {
    if (!difference.verdict) return "cannot be applied to the first";
    if (difference.decides) return "gives the first the outcome of the second";
    return "applied to the first: " + outcome(*difference.verdict);
  }

  std::string outcome(const Verdict& verdict) const {
    if (verdict.outcome != Outcome::pass || !verdict.unsynchronised.empty()) return in_words(comparison_.first, verdict).words;
    return verdict.untrained.empty() ? "no error" : "SILENT not trained";
  }

  const Comparison& comparison_;
  TerminalText out_;
};

// Names by DDP index.
std::vector<std::string> names(const Report& report, const std::vector<int>& indices) {
  std::vector<std::string> names;
  for (int index : indices) names.push_back(report.parameters[index].name);
  return names;
}

std::optional<NamedVerdict> named(const Report& first, const std::optional<Verdict>& verdict) {
  if (!verdict) return {};
  return NamedVerdict{verdict->outcome, verdict->iteration, verdict->message, names(first, verdict->unsynchronised),
                      names(first, verdict->untrained)};
}

}  // namespace

std::string to_text(const Comparison& comparison, const TextOptions& options) {
  return Text(comparison, options).write();
}

std::vector<NamedDifference> named_differences(const Comparison& comparison) {
  std::vector<NamedDifference> differences;
  for (const Difference& each : comparison.differences)
    differences.push_back({each.what, each.first, each.second, named(comparison.first, each.verdict), each.decides});
  return differences;
}

std::string to_json(const Comparison& comparison) {
  return forms::text_of(forms::Document<Comparison>{}.write(comparison));
}

}  // namespace gradscan
