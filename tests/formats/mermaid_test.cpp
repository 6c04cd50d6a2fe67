#include "analyzer/formats/mermaid.h"

#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;
using tests::report_from_marks;

std::string chart_of(const Report& report) {
  return mermaid(report, report.findings.front());
}

TEST_CASE("flowcharts", "[golden]") {
  tests::check_golden("resnet50.mmd", chart_of(report_from_marks(tests::resnet50(), {.find_unused_parameters = true})));
  tests::check_golden("twice.mmd", chart_of(report_from_marks(case_named("twice"))));
  tests::check_golden("last_bucket_twice.mmd",
                      chart_of(report_from_marks(case_named("last_bucket_twice"), tests::last_bucket_twice_not_averaged())));
  tests::check_golden("plain_unused.mmd", chart_of(report_from_marks(case_named("plain_unused"))));
}

TEST_CASE("no flowchart without parameters") {
  Report report = report_from_marks(case_named("plain"));
  REQUIRE(report.findings.front().rule == "no-regions-named");
  CHECK(chart_of(report) == "");
}

TEST_CASE("a group without parameters is not drawn") {
  Report report = report_from_marks(case_named("twice"));
  std::string chart = chart_of(report);
  report.findings.front().groups.emplace_back();
  CHECK(chart_of(report) == chart);
}

std::size_t number_of(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
  return number;
}

// As long as a model can be, its chart stays far below what GitHub draws.
TEST_CASE("flowcharts of large models are small") {
  Report report = report_from_marks(tests::resnet50(), {.find_unused_parameters = true});
  RegionReport region = report.regions.back();
  Group group = report.findings[0].groups.front();
  int first = static_cast<int>(report.stages.size());
  for (int at = 0; at < 2000; ++at) {
    region.id = static_cast<int>(report.regions.size());
    region.name = std::string(3000, static_cast<char>('a' + at % 26));
    report.regions.push_back(region);
    report.stages.push_back({region.id, region.name, {at % 150}, {}});
    report.stages[report.stages.size() - 2].next = {first + at};
    group.parameters = {at % 150};
    group.regions = {region.id};
    report.findings[0].groups.push_back(group);
  }
  std::string chart = chart_of(report);
  CHECK(chart.size() < 10'000);
  CHECK(number_of(chart, " --> ") + number_of(chart, ".->") < 350);
}

TEST_CASE("a name in a flowchart is only a name") {
  Capture capture = case_named("twice");
  capture.parameters[2].name = "\"]; click s0 \"https://x\" %% <script> `x` #quot; end|{";
  capture.parameters[3].name = "\n  s9 --> s0";
  capture.regions[0].name = capture.regions[1].name = "\"<img src=x>&amp;";
  std::string chart = chart_of(report_from_marks(capture));
  for (std::string bad : {"<script", "<img", "`", "click s0 \"", "&", "|", "%%"}) CHECK_THAT(chart, !tests::contains(bad));
  CHECK(number_of(chart, "s9 --> s0") == 0);
  CHECK(number_of(chart, "\"") % 2 == 0);
}

}  // namespace
}  // namespace gradscan
