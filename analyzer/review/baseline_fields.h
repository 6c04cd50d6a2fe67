// The members of a Baseline, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/json/object.h"
#include "analyzer/review/baseline.h"

namespace gradscan {

template <typename Fields>
void describe(Fields& fields, forms::As<BaselineEntry>) {
  fields.object("entry", "A finding that is accepted.");
  fields.required("model", &BaselineEntry::model, "The file's path as it is given to gradscan, or its bare name.");
  fields.required("rule", &BaselineEntry::rule, "The finding's rule, for the reader.");
  fields.required("fingerprint", &BaselineEntry::fingerprint, "What tells the finding from others of the model.");
  fields.always("title", &BaselineEntry::title, "The finding's title, for the reader.");
  fields.always("reason", &BaselineEntry::reason, "Why it is accepted; never empty.");
  fields.always("expires", &BaselineEntry::expires, "The last day on which it is, 2027-01-31; null: it does not expire.");
}

template <typename Fields>
void describe(Fields& fields, forms::As<Baseline>) {
  fields.document("gradscan-baseline/1", "baseline", "Findings that a project knows and accepts for now.");
  fields.required("findings", &Baseline::findings, "One entry for each.");
}

}  // namespace gradscan
