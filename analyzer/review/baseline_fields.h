// The members of a Baseline, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/json/object.h"
#include "analyzer/review/baseline.h"

namespace gradscan {

template <typename Fields>
void describe(Fields& fields, forms::As<BaselineEntry>) {
  fields.object("entry", "An accepted finding.");
  fields.required("model", &BaselineEntry::model, "The path of the file as given to gradscan, or its bare name.");
  fields.required("rule", &BaselineEntry::rule, "The finding's rule, for human readers.");
  fields.required("fingerprint", &BaselineEntry::fingerprint, "Identifies the finding among those of the model.");
  fields.always("title", &BaselineEntry::title, "The finding's title, for human readers.");
  fields.always("reason", &BaselineEntry::reason, "Why it is accepted; never empty.");
  fields.always("expires", &BaselineEntry::expires,
                "The last day on which it is accepted, such as 2027-01-31; null: it does not expire.");
}

template <typename Fields>
void describe(Fields& fields, forms::As<Baseline>) {
  fields.document("gradscan-baseline/1", "baseline", "Findings that a project knows about and accepts for now.");
  fields.required("findings", &Baseline::findings, "One entry per finding.");
}

}  // namespace gradscan
