// The JSON of a survey; docs/report-format.md describes it.
#include "analyzer/report/json.h"
#include "gradscan/report_json.h"

namespace gradscan {
namespace {

nlohmann::ordered_json json_of(const Scanned& file) {
  nlohmann::ordered_json json{{"path", file.path}, {"exit_code", file.exit_code}};
  if (file.report)
    json["report"] = json_of(*file.report);
  else
    json["error"] = file.error;
  return json;
}

}  // namespace

std::string to_json(const Survey& survey) {
  if (survey.files.size() == 1 && survey.files[0].report) return to_json(*survey.files[0].report);
  nlohmann::ordered_json json{{"schema", "gradscan-survey/1"}, {"files", nlohmann::ordered_json::array()}};
  for (const Scanned& file : survey.files) json["files"].push_back(json_of(file));
  return text_of(json);
}

}  // namespace gradscan
