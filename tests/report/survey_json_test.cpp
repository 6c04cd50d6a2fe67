#include <nlohmann/json.hpp>

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

using nlohmann::json;

TEST_CASE("JSON of a survey: each file's report or error") {
  Survey survey = tests::survey_of_three();
  json document = json::parse(to_json(survey));
  CHECK(document["schema"] == "gradscan-survey/1");
  REQUIRE(document["files"].size() == 3);
  CHECK(document["files"][1] == json{{"path", "models/bert.pt"}, {"exit_code", 3}, {"error", survey.files[1].error}});
  CHECK(document["files"][2]["path"] == "models/resnet50.pt");
  CHECK(document["files"][2]["exit_code"] == 1);
  CHECK(document["files"][2]["report"] == json::parse(to_json(*survey.files[2].report)));
}

TEST_CASE("the JSON of one file is its report's") {
  Survey survey = tests::survey_of_three();
  CHECK(to_json(Survey{{survey.files[0]}}) == to_json(*survey.files[0].report));
  CHECK(json::parse(to_json(Survey{{survey.files[1]}}))["files"].size() == 1);
}

}  // namespace
}  // namespace gradscan
