#include "gradscan/read_report.h"

#include <nlohmann/json.hpp>

#include "analyzer/report/check_report.h"
#include "gradscan/error.h"
#include "gradscan/firings.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"
#include "tests/support/truth_cases.h"

namespace gradscan {
namespace {

using nlohmann::json;
using tests::case_named;
using tests::report_from_marks;

const std::vector<Setup> setups{{},
                                {.find_unused_parameters = true},
                                {.static_graph = true, .bucket_cap_mb = 12.3},
                                {.checkpointing = Checkpointing::non_reentrant, .gradient_as_bucket_view = true},
                                {.checkpointing = Checkpointing::off, .step = {.forwards = 2, .no_sync = 1}}};

void check_round_trip(const Report& report) {
  CHECK(flaw(report) == "");
  std::string document = to_json(report);
  Survey survey = parse_report(document, "r.json");
  REQUIRE(survey.files.size() == 1);
  const Report& again = survey.files[0].report.value();
  CHECK(to_json(again) == document);
  CHECK(to_text(again) == to_text(report));
  for (const ParameterReport& parameter : report.parameters)
    if (parameter.index < 3) CHECK(explain(again, parameter.name) == explain(report, parameter.name));
}

TEST_CASE("every report survives JSON: each case of the truth table in five setups") {
  for (const auto& [name, training] : tests::truth_cases())
    for (const Setup& setup : setups) {
      INFO(name);
      check_round_trip(report_from_marks(case_named(name), setup));
    }
}

TEST_CASE("large, silent and accepted reports survive JSON") {
  check_round_trip(report_from_marks(tests::resnet50(), {.find_unused_parameters = true}));
  Report report = report_from_marks(case_named("last_bucket_twice"), tests::last_bucket_twice_not_averaged());
  report.findings[0].accepted = "known";
  report.written_by = "2.9.1";
  check_round_trip(report);
  CHECK(parse_report(to_json(report), "r.json").files[0].exit_code == 0);
}

Report with_everything() {
  Report report = report_from_marks(case_named("twice"));
  report.regions[0].place = "/home/me/model.py:88";
  report.regions[1].parent = 0;
  for (Stage& stage : report.stages)
    if (stage.region == 1) stage.region = 0;
  report.regions[1].closures = {{.region = 0, .op = "MulBackward0", .module = "m", .source = "m.py:3"}};
  report.second_run = SecondRun{{.region = none, .op = "AddmmBackward0", .module = "l", .source = "l.py:4"}, {outer_graph, 1}};
  report.parameters[0].fired_by = {around_model, outer_graph, 1};
  report.parameters[1].lost_in = 1;
  report.price = {
      .outside = 1, .largest = 2, .largest_region = 1, .forward_flops = 3, .backward_flops = 4, .recompute_flops = 5};
  report.prices = {{Checkpointing::off, report.price}};
  report.fixed = {.parameters = 6, .gradients = 7, .buckets = 8, .optimizer = 9};
  report.dropping = {"encoder has layerdrop=0.1"};
  report.varying = {"forward draws Python's random numbers"};
  report.ended = {"a later forward fails"};
  report.no_help = {{"a smaller batch", "the graph stays as it is"}};
  report.fixes[0].price = report.price;
  report.fixes[0].caveats = {"one", "two"};
  report.fixes[0].edits = {.checkpoint = {{"l*", Kind::off}}, .freeze = {"f"}, .ignore = {"i"}, .require_grad = {"r"}};
  for (const Verdict& verdict : report.verdicts) {
    report.setups.push_back(report_from_marks(case_named("twice"), verdict.setup));
    report.setups.back().fixes.clear();
  }
  return report;
}

TEST_CASE("no member of a report is lost") {
  Report report = with_everything();
  check_round_trip(report);
  Report again = *parse_report(to_json(report), "r.json").files[0].report;
  CHECK(again.setups.size() == report.verdicts.size());
  CHECK(again.fixes[0].caveats == report.fixes[0].caveats);
  CHECK(again.fixes[0].edits.checkpoint[0].kind == Kind::off);
  CHECK(again.fixes[0].price.recompute_flops == 5);
  CHECK(again.no_help[0].reason == report.no_help[0].reason);
  CHECK(again.second_run->causes == report.second_run->causes);
  CHECK(again.parameters[0].fired_by == report.parameters[0].fired_by);
}

TEST_CASE("a survey survives JSON") {
  Survey survey = tests::survey_of_five();
  Survey again = parse_report(to_json(survey), "s.json");
  CHECK(to_json(again) == to_json(survey));
  CHECK(to_text(again) == to_text(survey));
  CHECK(again.files[1].error == survey.files[1].error);
}

TEST_CASE("an exit code is that of the report, whatever a survey says of it") {
  json survey = json::parse(to_json(tests::survey_of_five()));
  for (json& file : survey["files"])
    if (file.contains("report")) file["exit_code"] = file["exit_code"] == 0 ? 77 : 0;
  CHECK(to_json(parse_report(survey.dump(), "s.json")) == to_json(tests::survey_of_five()));
}

TEST_CASE("the file of a report that is read is its model") {
  Scanned file = parse_report(to_json(report_from_marks(case_named("twice"))), "r.json").files.front();
  CHECK(file.path == "twice.pt");
  CHECK(file.exit_code == 1);
}

std::string refusal(const std::string& text) {
  try {
    parse_report(text, "r.json");
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::not_a_model);
    std::string line = error.what();
    CHECK(line.starts_with("r.json: is not a report: "));
    CHECK(line.ends_with(": write one with -o FILE.json"));
    CHECK(line.size() < 500);
    CHECK(line.find('\n') == std::string::npos);
    return line;
  }
  return "accepted";
}

TEST_CASE("what is no report") {
  CHECK_THAT(refusal(""), tests::contains("parse error"));
  CHECK_THAT(refusal("{\"schema\": \"" + std::string(100'000, 'x')), tests::contains("parse error"));
  CHECK_THAT(refusal("[]"), tests::contains("schema is not gradscan-report/1"));
  CHECK_THAT(refusal("null"), tests::contains("schema is not gradscan-report/1"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-capture/1"})"), tests::contains("schema is not gradscan-report/1"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-report/1"})"), tests::contains("has no \"model\""));
  CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1"})"), tests::contains("has no \"files\""));
  CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1", "files": []})"), tests::contains("has no files"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1", "files": {}})"), tests::contains("files is no list"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1", "files": [7]})"), tests::contains("files[0] is no object"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1", "files": [{}]})"),
             tests::contains("files[0] has neither a report nor"));
  for (const char* code : {"0", "1", "-1", "256"})
    CHECK_THAT(refusal(R"({"schema": "gradscan-survey/1", "files": [{"path": "p", "error": "e", "exit_code": )" +
                       std::string(code) + "}]}"),
               tests::contains("files[0].exit_code is none"));
}

TEST_CASE("a report without its results is none") {
  const json sound = json::parse(to_json(report_from_marks(case_named("twice"))));
  auto without = [&](const std::string& parent, const std::string& key) {
    json changed = sound;
    changed.at(json::json_pointer(parent)).erase(key);
    return refusal(changed.dump());
  };
  for (const char* key : {"model", "setup", "parameters", "verdict", "verdicts", "findings"})
    CHECK_THAT(without("", key), tests::contains("has no \"" + std::string(key) + "\""));
  CHECK_THAT(without("/verdicts/2", "outcome"), tests::contains("verdicts[2] has no \"outcome\""));
  CHECK_THAT(without("/findings/0", "level"), tests::contains("findings[0] has no \"level\""));
  CHECK(without("/parameters/0", "aliases") == "accepted");
}

TEST_CASE("nesting deeper than any stack") {
  const std::size_t depth = 2'000'000;
  std::string deep = std::string(depth, '[') + std::string(depth, ']');
  CHECK_THAT(refusal(deep), tests::contains("schema"));
  CHECK_THAT(refusal(R"({"schema": "gradscan-report/1", "model": "m", "setup": {}, "parameters": )" + deep + "}"),
             tests::contains("parameters[0]"));
  std::string reports;
  for (int level = 0; level < 100'000; ++level) reports += R"({"schema": "gradscan-report/1", "setups": [)";
  for (int level = 0; level < 100'000; ++level) reports += "]}";
  CHECK_THAT(refusal(reports), tests::contains("has no"));
}

TEST_CASE("members of the wrong type or out of range are named") {
  const json sound = json::parse(to_json(with_everything()));
  auto with = [&](const std::string& pointer, const json& value) {
    json changed = sound;
    changed.at(json::json_pointer(pointer)) = value;
    return refusal(changed.dump());
  };
  CHECK_THAT(with("/model", 3), tests::contains("model is no text"));
  CHECK_THAT(with("/parameters/1/shape", {-1}), tests::contains("parameters[1].shape[0] is negative"));
  CHECK_THAT(with("/parameters/1/shape", json::parse("[4611686018427387904, 8]")), tests::contains("larger than any memory"));
  CHECK_THAT(with("/parameters/1/dtype", "float31"), tests::contains("float31"));
  CHECK_THAT(with("/parameters/1/index", 0), tests::contains("order"));
  CHECK_THAT(with("/parameters/1/index", 1e300), tests::contains("parameters[1].index is no whole number"));
  CHECK_THAT(with("/parameters/1/firings/off", 4294967296), tests::contains("too large"));
  CHECK_THAT(with("/parameters/1/fired_by", json::parse(R"([{"region": 99}])")),
             tests::contains("parameters[1].fired_by[0].region: 99 is no region"));
  CHECK_THAT(with("/parameters/1/used_in", json::parse(R"([{"region": -3}])")),
             tests::contains("parameters[1].used_in[0].region: -3 is no region"));
  CHECK_THAT(with("/regions/1/parent", 1), tests::contains("regions[1].parent: 1 is no region that stands before"));
  CHECK_THAT(with("/regions/0/kind", "sideways"), tests::contains("kind is a word"));
  CHECK_THAT(with("/stages/0/next", {0}), tests::contains("stages[0].next: 0 is no later stage"));
  CHECK_THAT(with("/verdict/untrained", {7777}), tests::contains("verdict.untrained[0]: 7777 is no parameter"));
  CHECK_THAT(with("/verdict/parameters", {7777}), tests::contains("verdict.parameters[0]"));
  CHECK_THAT(with("/buckets", {{-1}}), tests::contains("buckets[0][0]: -1 is no parameter"));
  CHECK_THAT(with("/setup/first_bucket_cap_mb", true), tests::contains("setup.first_bucket_cap_mb is no number"));
  CHECK_THAT(with("/findings/0/groups/0/regions", {99}), tests::contains("findings[0].groups[0].regions[0]: 99 is no region"));
  CHECK_THAT(with("/setups/0", json::object()), tests::contains("setups[0].schema"));
}

// Every member in turn is replaced by values of other types: what is accepted can be written.
TEST_CASE("no member of a report can make gradscan crash") {
  const json sound = json::parse(to_json(with_everything()));
  const std::vector<json> values{
      nullptr,       true, -1, -2, 1'000'000, 1e300, 9223372036854775807, "", "x\n\x1b", json::array(), json::array({1, 0}),
      json::object()};
  const json pointers = sound.flatten();
  std::size_t accepted = 0, refused = 0;
  std::size_t at = 0;
  for (const auto& [pointer, old] : pointers.items()) {
    if (++at % 3 != 0) continue;  // a third of them, to be quick
    json changed = sound;
    changed.at(json::json_pointer(pointer)) = values[at % values.size()];
    std::string text = changed.dump();
    try {
      Survey survey = parse_report(text, "r.json");
      to_text(survey);
      to_markdown(survey);
      to_sarif(survey);
      to_github(survey);
      ++accepted;
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(accepted > 20);
  CHECK(refused > 200);
}

}  // namespace
}  // namespace gradscan
