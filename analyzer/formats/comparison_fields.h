// The members of a Comparison, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/report/report_fields.h"
#include "gradscan/compare.h"

namespace gradscan {

// A Difference whose verdict has names of parameters instead of their indices in the first report.
struct NamedVerdict {
  Outcome outcome = Outcome::pass;
  std::optional<int> iteration{};
  std::string message{};
  std::vector<std::string> unsynchronised{}, untrained{};
};

struct NamedDifference {
  std::string what{}, first{}, second{};
  std::optional<NamedVerdict> verdict{};
  bool decides = false;
};

std::vector<NamedDifference> named_differences(const Comparison& comparison);

template <typename Fields>
void describe(Fields& fields, As<NamedVerdict>) {
  fields.object("verdict_of_difference", "What DDP does with the first once the difference is applied to it.");
  describe_outcome(fields, As<NamedVerdict>{});
  fields.always("unsynchronised", &NamedVerdict::unsynchronised,
                "Names of parameters whose gradients differ between the ranks; empty if an error is raised.");
  fields.always("untrained", &NamedVerdict::untrained,
                "Names of parameters that lose their gradient, or the part of it that would pass through a region, to "
                "checkpointing; empty if an error is raised.");
}

template <typename Fields>
void describe(Fields& fields, As<NamedDifference>) {
  fields.object("difference", "One way in which the two differ.");
  fields.required("what", &NamedDifference::what, "What differs.");
  fields.always("first", &NamedDifference::first, "Its value in the first.");
  fields.always("second", &NamedDifference::second, "Its value in the second.");
  fields.always("verdict", &NamedDifference::verdict,
                "Of the first with the difference applied; null if it cannot be applied to the first.");
  fields.required("decides", &NamedDifference::decides, "Whether it gives the first the outcome of the second.");
}

template <typename Fields>
void describe(Fields& fields, As<Comparison>) {
  fields.document("gradscan-comparison/1", "comparison", "Why DDP fails with one model and not with the other.");
  fields.required("first", &Comparison::first, "Its report.", forms::Document<Report>{});
  fields.required("second", &Comparison::second, "Its report.", forms::Document<Report>{});
  fields.computed("differences", named_differences, "Decisive ones first, then setup, regions, parameters.");
  fields.required("same_outcome", &Comparison::same_outcome,
                  "Whether both have the same outcome; if so, no difference is decisive.");
  fields.always("together", &Comparison::together,
                "Whether all differences that can be applied to the first, together, give it the outcome of the second.");
}

}  // namespace gradscan
