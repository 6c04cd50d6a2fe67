// A baseline: the findings that a project knows about and accepts for now. With a baseline only new findings are conflicts.
//
//     Baseline baseline = parse_baseline(text, "gradscan-baseline.json");
//     for (const std::string& line : apply(baseline, survey, today)) say(line);
//
// Schema "gradscan-baseline/1": {"schema": ..., "findings": [{"model": "models/resnet50.pt", "rule": "marked-ready-twice",
// "fingerprint": ..., "title": ..., "reason": "fixed with mmcv 2.2", "expires": "2027-01-31"}]}. An entry matches the
// finding with this fingerprint in this model; rule and title are for human readers. `expires` may be missing or null.
//
// `model` is Scanned::path, the path as given, so a baseline works for runs from one folder. An entry with a bare file name
// also matches a file of that name in any folder, unless that path has an entry of its own: gradscan.check() scans in a new
// folder each time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/survey.h"

namespace gradscan {

struct BaselineEntry {
  std::string model, rule, fingerprint, title;  // model: a path as given, or a file name
  std::string reason;                           // never empty
  std::optional<std::string> expires;           // the last day on which it applies: "2027-01-31"
};

struct Baseline {
  std::vector<BaselineEntry> findings;
};

// Throws Error (usage), with `subject` as its subject.
Baseline parse_baseline(std::string_view json, const std::string& subject);

// A baseline of all conflicts in the survey, sorted by model. Conflicts in `former` keep their reason and date. Entries of
// `former` for models without a report in the survey stay.
Baseline baseline_of(const Survey& survey, const Baseline& former = {});
std::string to_json(const Baseline& baseline);

// Marks findings in the baseline as accepted and updates exit codes. Returns a sentence for each entry that has expired, and
// for each entry of a scanned path that no finding matches any more. `today`: "2026-11-24".
std::vector<std::string> apply(const Baseline& baseline, Survey& survey, const std::string& today);

}  // namespace gradscan
