#include "analyzer/review/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <regex>

#include "analyzer/review/baseline_fields.h"
#include "analyzer/review/fingerprint.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* reason_at_first = "known when the baseline was written";

Error wrong_baseline(const std::string& subject, const std::string& problem) {
  return Error(Failure::usage, subject, problem, "fix it, or write it again with --write-baseline");
}

bool is_date(const std::string& text) {
  return std::regex_match(text, std::regex(R"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))"));
}

void check(const BaselineEntry& entry, const std::string& subject) {
  std::string what = fmt::format("the entry \"{}\" of {}", entry.title, entry.model);
  if (entry.reason.empty()) throw wrong_baseline(subject, what + " has no reason");
  if (entry.expires && !is_date(*entry.expires))
    throw wrong_baseline(subject, what + " has an expiry date that is not like 2027-01-31");
}

// Calls visit(file, finding) for every error and silent failure.
template <typename Survey, typename Visit>
void for_each_conflict(Survey& survey, Visit visit) {
  for (auto& file : survey.files) {
    if (!file.report || !file.report->disagreements.empty()) continue;
    for (auto& finding : file.report->findings)
      if (finding.severity != Severity::note) visit(file, finding);
  }
}

// Whether the entry's model was scanned.
bool is_scanned(const BaselineEntry& entry, const Survey& survey) {
  return std::any_of(survey.files.begin(), survey.files.end(),
                     [&](const Scanned& file) { return file.report && file.path == entry.model; });
}

const BaselineEntry* entry_with(const Baseline& baseline, const std::string& model, const std::string& print) {
  auto found = std::find_if(baseline.findings.begin(), baseline.findings.end(),
                            [&](const BaselineEntry& entry) { return entry.model == model && entry.fingerprint == print; });
  return found == baseline.findings.end() ? nullptr : &*found;
}

// The entry for the path, or else the one for the bare file name.
const BaselineEntry* entry_of(const Baseline& baseline, const Scanned& file, const Finding& finding) {
  std::string print = fingerprint(*file.report, finding);
  const BaselineEntry* entry = entry_with(baseline, file.path, print);
  return entry ? entry : entry_with(baseline, file.path.substr(file.path.rfind('/') + 1), print);
}

}  // namespace

Baseline parse_baseline(std::string_view text, const std::string& subject) {
  Baseline baseline;
  try {
    forms::Document<Baseline>{}.read(forms::Json::parse(text), baseline);
  } catch (const forms::Malformed& error) {
    throw wrong_baseline(subject, "is not a baseline: " + in_words(error));
  } catch (const forms::Json::exception&) {
    throw wrong_baseline(subject, "is not a baseline");
  }
  for (const BaselineEntry& entry : baseline.findings) check(entry, subject);
  return baseline;
}

Baseline baseline_of(const Survey& survey, const Baseline& former) {
  Baseline baseline;
  std::copy_if(former.findings.begin(), former.findings.end(), std::back_inserter(baseline.findings),
               [&](const BaselineEntry& entry) { return !is_scanned(entry, survey); });
  for_each_conflict(survey, [&](const Scanned& file, const Finding& finding) {
    BaselineEntry entry{file.path, finding.rule, fingerprint(*file.report, finding), finding.title, reason_at_first, {}};
    if (const BaselineEntry* known = entry_of(former, file, finding)) {
      entry.reason = known->reason;
      entry.expires = known->expires;
    }
    baseline.findings.push_back(std::move(entry));
  });
  std::stable_sort(baseline.findings.begin(), baseline.findings.end(),
                   [](const BaselineEntry& left, const BaselineEntry& right) { return left.model < right.model; });
  return baseline;
}

std::string to_json(const Baseline& baseline) {
  return forms::text_of(forms::Document<Baseline>{}.write(baseline));
}

std::vector<std::string> apply(const Baseline& baseline, Survey& survey, const std::string& today) {
  std::vector<bool> matched(baseline.findings.size());
  auto expired = [&](const BaselineEntry& entry) { return entry.expires && *entry.expires < today; };
  for_each_conflict(survey, [&](const Scanned& file, Finding& finding) {
    const BaselineEntry* entry = entry_of(baseline, file, finding);
    if (!entry) return;
    matched[entry - baseline.findings.data()] = true;
    if (!expired(*entry)) finding.accepted = entry->reason;
  });
  for (Scanned& file : survey.files)
    if (file.report) file.exit_code = exit_code(*file.report);
  std::vector<std::string> sentences;
  for (std::size_t at = 0; at < matched.size(); ++at) {
    const BaselineEntry& entry = baseline.findings[at];
    std::string what = fmt::format("\"{}\" of {}", entry.title, entry.model);
    if (!matched[at] && !is_scanned(entry, survey)) continue;
    if (!matched[at])
      sentences.push_back(what + " is no longer found: remove the entry");
    else if (expired(entry))
      sentences.push_back(fmt::format("{} was accepted until {}: fix it or set a later date", what, *entry.expires));
  }
  return sentences;
}

}  // namespace gradscan
