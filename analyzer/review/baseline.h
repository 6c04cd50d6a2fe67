// A baseline: the findings that a project knows and accepts for now. With it only new ones are conflicts.
//
//     Baseline baseline = parse_baseline(text, "gradscan-baseline.json");
//     for (const std::string& line : apply(baseline, survey, today)) say(line);
//
// Schema "gradscan-baseline/1": {"schema": ..., "findings": [{"model": "models/resnet50.pt", "rule": "marked-ready-twice",
// "fingerprint": ..., "title": ..., "reason": "fixed with mmcv 2.2", "expires": "2027-01-31"}]}. An entry is of the finding
// with this fingerprint in this model; rule and title are for the reader. `expires` may be missing or null.
//
// `model` is Scanned::path, the path as it was given: a baseline is of runs from one folder. An entry of a bare file name
// counts for a file of that name in any folder that has no entry of its own: gradscan.check() scans in a new folder each time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/survey.h"

namespace gradscan {

struct BaselineEntry {
  std::string model, rule, fingerprint, title;  // model: a path as it was given, or a file name
  std::string reason;                           // never empty
  std::optional<std::string> expires;           // the last day on which it counts: "2027-01-31"
};

struct Baseline {
  std::vector<BaselineEntry> findings;
};

// Throws Error (usage), with `subject` as its subject.
Baseline parse_baseline(std::string_view json, const std::string& subject);

// Of all conflicts of the survey, by model; those that `former` has keep their reason and date. Its entries of models without a
// report in the survey stay.
Baseline baseline_of(const Survey& survey, const Baseline& former = {});
std::string to_json(const Baseline& baseline);

// Accepts the findings that the baseline has, and sets exit codes anew. Returns a sentence for each entry that has expired, and
// for each of a path of the survey that no finding matches any more. `today`: "2026-11-24".
std::vector<std::string> apply(const Baseline& baseline, Survey& survey, const std::string& today);

}  // namespace gradscan
