#include "analyzer/review/fingerprint.h"

#include <fmt/format.h>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <set>

#include "analyzer/data/rules.h"
#include "analyzer/report/report.h"

namespace gradscan {
namespace {

// What distinguishes an error that names no parameter.
std::string first_words(const Report& report, const Finding& finding) {
  const std::string& words = report.verdict.message.empty() ? finding.title : report.verdict.message;
  return words.substr(0, words.find('\n'));
}

}  // namespace

std::string fingerprint(const Report& report, const Finding& finding) {
  std::set<std::string> names;
  for (const Group& group : finding.groups) {
    for (int index : group.parameters) names.insert("parameter " + report.parameters[index].name);
    for (int region : group.regions) names.insert("region " + report.regions[region].name);
  }
  if (names.empty()) names.insert("message " + first_words(report, finding));
  if (finding.rule == "graph-varies")
    for (const std::string& reason : reasons_to_vary(report)) names.insert("reason " + reason);
  std::string text = fmt::format("{}\n{}", finding.rule, severity_words(finding.severity).name);
  for (const std::string& name : names) text += '\n' + name;
  return to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(text));
}

}  // namespace gradscan
