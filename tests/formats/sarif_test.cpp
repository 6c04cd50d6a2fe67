#include <nlohmann/json.hpp>

#include "analyzer/data/rules.h"
#include "analyzer/review/fingerprint.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

using nlohmann::json;

const SourcePathOptions here{{{"/home/ci/checkout/", ""}}};

json run_of(const Survey& survey, const SourcePathOptions& options = {}) {
  return json::parse(to_sarif(survey, options))["runs"][0];
}

TEST_CASE("SARIF of a survey", "[golden]") {
  tests::check_golden("survey.sarif", to_sarif(tests::survey_of_three(), here));
  tests::check_golden("resnet50.sarif", to_sarif(Survey{{tests::survey_of_three().files[2]}}));
}

TEST_CASE("the line of a result, and the regions called there") {
  json run = run_of(tests::survey_of_three(), here);
  REQUIRE(run["results"].size() == 1);
  const json& result = run["results"][0];
  CHECK(result["ruleId"] == "marked-ready-twice");
  CHECK(result["level"] == "error");
  CHECK(
      result["locations"] ==
      json::parse(R"([{"physicalLocation": {"artifactLocation": {"uri": "models/resnet.py"}, "region": {"startLine": 88}}}])"));
  CHECK(result["relatedLocations"][0]["message"]["text"] ==
        "checkpoint of layer4.2, layer4.1, layer4.0, layer3.1, layer3.2, layer3.3 and 10 more");
  CHECK(result["properties"]["parameters"].size() == 156);
}

TEST_CASE("all rules are listed, whatever is found") {
  json rule_list = run_of(Survey{})["tool"]["driver"]["rules"];
  REQUIRE(rule_list.size() == rules().size());
  CHECK(rule_list[0]["id"] == "marked-ready-twice");
  CHECK(rule_list.back()["defaultConfiguration"]["level"] == "note");
}

TEST_CASE("a file that could not be scanned is a notification of the invocation") {
  json invocation = run_of(tests::survey_of_three())["invocations"][0];
  CHECK(invocation["executionSuccessful"] == false);
  CHECK(invocation["exitCode"] == 3);
  const json& notification = invocation["toolExecutionNotifications"][0];
  CHECK(notification["level"] == "error");
  CHECK(notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "models/bert.pt");
  CHECK(run_of(Survey{{tests::survey_of_three().files[0]}})["invocations"][0]["executionSuccessful"] == true);
}

TEST_CASE("fingerprints do not depend on lines, and distinguish models") {
  Survey survey = tests::survey_of_three();
  json before = run_of(survey)["results"][0]["partialFingerprints"];
  for (RegionReport& region : survey.files[2].report->regions) region.source = "resnet.py:99";
  CHECK(run_of(survey)["results"][0]["partialFingerprints"] == before);
  survey.files[2].report->model = "another.pt";
  CHECK(run_of(survey)["results"][0]["partialFingerprints"] != before);
}

TEST_CASE("an accepted finding is suppressed with its reason") {
  const json run = run_of(tests::survey_of_five());
  for (const json& result : run["results"])
    if (result["properties"]["model"] == "models/twice.pt")
      CHECK(result["suppressions"] == json::parse(R"([{"kind": "external", "justification": "fixed with the next release"}])"));
    else
      CHECK(!result.contains("suppressions"));
}

TEST_CASE("SARIF of hostile names is valid UTF-8") {
  Capture capture = tests::case_named("twice");
  capture.parameters[2].name = "l2\xff\xfe\x1b\"\\\n";
  capture.model = "\xc3\x28";
  Report report = tests::report_from_marks(capture);
  Survey survey{{{.path = "a\xff b.pt", .report = report, .exit_code = 1}}};
  json result = run_of(survey)["results"][0];
  CHECK(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%FF%20b.pt");
  CHECK(result["message"]["text"].get<std::string>().find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace gradscan
