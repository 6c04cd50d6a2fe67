#include "analyzer/report/fingerprint.h"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <set>

namespace gradscan {

std::string fingerprint(const Report& report, const Finding& finding) {
  std::set<std::string> names;
  for (const Group& group : finding.groups) {
    for (int index : group.parameters) names.insert("parameter " + report.parameters[index].name);
    for (int region : group.regions) names.insert("region " + report.regions[region].name);
  }
  std::string text = finding.rule;
  for (const std::string& name : names) text += '\n' + name;
  return to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(text));
}

}  // namespace gradscan
