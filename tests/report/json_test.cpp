#include <nlohmann/json.hpp>

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using nlohmann::json;
using tests::case_named;
using tests::report_from_marks;

TEST_CASE("JSON report", "[golden]") {
  tests::check_golden("twice.json", to_json(report_from_marks(case_named("twice"), Setup{.find_unused_parameters = true})));
}

TEST_CASE("the keys that others read") {
  json report = json::parse(to_json(report_from_marks(tests::resnet50(), {.find_unused_parameters = true})));
  CHECK(report["schema"] == "gradscan-report/1");
  CHECK(report["setup"] == json::parse(R"({"checkpointing": "as_given", "find_unused_parameters": true, "static_graph": false,
      "bucket_cap_mb": 25.0, "first_bucket_cap_mb": 1.0, "gradient_as_bucket_view": false,
      "step": {"forwards": 1, "backwards": 1, "no_sync": 0, "used_outside": [], "zero_times": [], "checkpoint_around": "off",
               "set_to_none": true}})"));
  const json& weight = report["parameters"][157];
  CHECK(weight["name"] == "layer4.2.bn3.weight");
  CHECK(weight["firings"] == json{{"reentrant", 1}, {"non_reentrant", 1}, {"off", 1}});
  CHECK(weight["ready_marks"] == json{{"default", 1}, {"find_unused_parameters", 2}, {"static_graph", 1}});
  CHECK(weight["fired_by"] == json::parse(R"([{"region": 15}])"));
  CHECK(report["parameters"][160]["fired_by"] == json::parse(R"([{"outer": true}])"));
  const json& region = report["regions"][15];
  CHECK(region["name"] == "layer4.2");
  CHECK(region["kind"] == "reentrant");
  CHECK(region["parent"].is_null());
  CHECK(region["parameters"] == json{150, 151, 152, 153, 154, 155, 156, 157, 158});
  CHECK(region["executed"] == true);
  CHECK(region["nested_outputs"] == 0);
  CHECK(weight["returned_as"] == "");
  const json& verdict = report["verdicts"][1];
  CHECK(verdict["checkpointing"] == "reentrant");
  CHECK(verdict["find_unused_parameters"] == true);
  CHECK(verdict["outcome"] == "marked_ready_twice");
  CHECK(verdict["iteration"] == 0);
  CHECK(verdict["parameters"] == json::parse(R"([[158, "layer4.2.bn3.bias"]])"));
  CHECK(report["verdicts"][0]["iteration"].is_null());
  CHECK(report["verdicts"].size() == 9);
  CHECK(report["findings"][0]["rule"] == "marked-ready-twice");
  CHECK(report["findings"][0]["level"] == "error");
  const json& folded = report["findings"][0]["groups"][3];
  CHECK(folded["folded"] == 5);
  CHECK(folded["members"].size() == 9);
  CHECK(folded["members"][0] == "conv1.weight");
  CHECK(report["fixes"][0]["options"] == "--no-find-unused-parameters");
  CHECK(report["fixes"][0]["condition"] == "only if every parameter gets a gradient in every iteration");
}

TEST_CASE("any name gives valid UTF-8") {
  Capture capture = case_named("twice");
  capture.parameters[2].name = "l2\xff\xfe\x1b\"\\\n";
  capture.regions[0].name = "\xc3\x28";
  json report = json::parse(to_json(report_from_marks(capture)));
  CHECK(report["parameters"][2]["name"] == "l2\ufffd\ufffd\x1b\"\\\n");
}

}  // namespace
}  // namespace gradscan
