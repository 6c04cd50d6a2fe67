// A comparison as text and as JSON (docs/report-format.md).
#include <algorithm>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/comparison_fields.h"
#include "analyzer/formats/page.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

class Text {
 public:
  Text(const Comparison& comparison, const TextOptions& options) : comparison_(comparison), page_(options) {}

  std::string write() {
    side("first", comparison_.first);
    side("second", comparison_.second);
    summary();
    differences("What decides", true);
    differences(any_decides() ? "Other differences" : "Differences", false);
    return page_.take();
  }

 private:
  void side(const std::string& term, const Report& report) {
    page_.item(term, report.model + ", " + ddp_call(report.setup) + ": " + in_words(report, report.verdict).words, 0, 8);
  }

  bool any_decides() const {
    return std::any_of(comparison_.differences.begin(), comparison_.differences.end(),
                       [](const Difference& difference) { return difference.decides; });
  }

  void summary() {
    std::string sentence = summary_in_words();
    if (sentence.empty()) return;
    page_.blank();
    page_.prose(sentence);
  }

  std::string summary_in_words() const {
    if (comparison_.differences.empty()) return "They do not differ in what gradscan compares.";
    if (comparison_.same_outcome) return "Both end alike: no difference decides.";
    if (any_decides()) return "";
    return comparison_.together
               ? "No difference decides by itself; all that can be taken over, together, let the first end as the second."
               : "No difference that can be taken over into the first's graph decides.";
  }

  void differences(const std::string& heading, bool decide) {
    auto told = [&](const Difference& difference) { return difference.decides == decide; };
    if (std::none_of(comparison_.differences.begin(), comparison_.differences.end(), told)) return;
    page_.heading(heading);
    for (const Difference& difference : comparison_.differences)
      if (told(difference)) write(difference);
  }

  void write(const Difference& difference) {
    page_.prose(difference.what + ": " + difference.first + " in the first, " + difference.second + " in the second", 2,
                difference.decides ? Paint::good : Paint::plain);
    page_.prose(effect(difference), 6, Paint::dim);
  }

  std::string effect(const Difference& difference) const {
    if (!difference.verdict) return "cannot be taken over into the first's graph";
    if (difference.decides) return "the first with it ends as the second";
    return "the first with it: " + outcome(*difference.verdict);
  }

  std::string outcome(const Verdict& verdict) const {
    if (verdict.outcome != Outcome::pass || !verdict.unsynchronised.empty()) return in_words(comparison_.first, verdict).words;
    return verdict.untrained.empty() ? "no error" : "SILENT not trained";
  }

  const Comparison& comparison_;
  Page page_;
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
