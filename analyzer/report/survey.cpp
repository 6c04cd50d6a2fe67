#include "analyzer/report/survey.h"

#include <algorithm>
#include <numeric>

namespace gradscan {

int exit_code(const Survey& survey) {
  int worst = 0;
  for (const Scanned& file : survey.files) worst = std::max(worst, file.exit_code);
  return worst;
}

std::vector<int> worst_first(const Survey& survey) {
  std::vector<int> order(survey.files.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int left, int right) { return severity(survey.files[left]) < severity(survey.files[right]); });
  return order;
}

const Finding* worst_finding(const Report& report) {
  const Finding* worst = nullptr;
  for (const Finding& finding : report.findings)
    if (finding.severity != Severity::note && finding.accepted.empty() && (!worst || finding.severity < worst->severity))
      worst = &finding;
  return worst;
}

Severity severity(const Scanned& file) {
  if (!file.report) return Severity::failed;
  const Finding* worst = worst_finding(*file.report);
  return worst ? worst->severity : Severity::clean;
}

}  // namespace gradscan
