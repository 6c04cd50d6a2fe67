// The members of a Comparison, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/report/report_fields.h"
#include "gradscan/compare.h"

namespace gradscan {

// A Difference with the names of the parameters that its verdict tells of, which are the first report's.
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
  fields.object("verdict_of_difference", "What DDP does with the first once it has the second's.");
  describe_outcome(fields, As<NamedVerdict>{});
  fields.always("unsynchronised", &NamedVerdict::unsynchronised,
                "Names of parameters whose gradients differ between the ranks; empty where an error is raised.");
  fields.always("untrained", &NamedVerdict::untrained,
                "Names of parameters that lose their gradient, or the part of it that would come through a region, to "
                "checkpointing; empty where an error is raised.");
}

template <typename Fields>
void describe(Fields& fields, As<NamedDifference>) {
  fields.object("difference", "In what the two differ.");
  fields.required("what", &NamedDifference::what, "What differs.");
  fields.always("first", &NamedDifference::first, "How it is in the first.");
  fields.always("second", &NamedDifference::second, "How it is in the second.");
  fields.always("verdict", &NamedDifference::verdict, "Of the first with it; null if the first's graph cannot tell.");
  fields.required("decides", &NamedDifference::decides, "Whether the first then ends as the second does.");
}

template <typename Fields>
void describe(Fields& fields, As<Comparison>) {
  fields.document("gradscan-comparison/1", "comparison", "Why DDP fails with one model and not with the other.");
  fields.required("first", &Comparison::first, "Its report.", forms::Document<Report>{});
  fields.required("second", &Comparison::second, "Its report.", forms::Document<Report>{});
  fields.computed("differences", named_differences, "Those that decide first, then setup, regions, parameters.");
  fields.required("same_outcome", &Comparison::same_outcome, "Whether both end alike: then nothing decides.");
  fields.always("together", &Comparison::together,
                "Whether all differences that can be taken over, together, let the first end as the second.");
}

}  // namespace gradscan
