#include "analyzer/review/code_lines.h"

#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

TEST_CASE("paths are mapped by whole folders, by the first entry that fits") {
  SourcePathOptions options{{{"/build/src", "src"}, {"/build", "/home/me"}, {"/gone/", ""}}};
  CHECK(mapped("/build/src/a.py", options) == "src/a.py");
  CHECK(mapped("/build/src2/a.py", options) == "/home/me/src2/a.py");
  CHECK(mapped("/gone/a.py", options) == "a.py");
  CHECK(mapped("/elsewhere/a.py", options) == "/elsewhere/a.py");
  CHECK(mapped("/build/src", options) == "src");
  CHECK(mapped("/a/b.py", {{{"/a", ""}}}) == "b.py");
  CHECK(mapped("/a/b.py", {{{"/a", "c/"}}}) == "c/b.py");
  CHECK(mapped("/a/b.py", {{{"/a/", "c"}}}) == "c/b.py");
  CHECK(mapped("/a/b.py", {{{"", "c"}}}) == "/a/b.py");
}

TEST_CASE("paths as URIs") {
  CHECK(uri("models/a b.py") == "models/a%20b.py");
  CHECK(uri("/home/me/a.py") == "file:///home/me/a.py");
  CHECK(uri("c:x#y?z%\n\xff") == "c%3Ax%23y%3Fz%25%0A%FF");
}

Scanned resnet50() {
  return tests::survey_of_three().files[2];
}

TEST_CASE("a finding points at the line that calls checkpoint") {
  Scanned file = resnet50();
  const Finding& finding = file.report->findings[0];
  std::vector<CodeLine> lines = code_lines(file, finding, {{{"/home/ci/checkout", ""}}});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].path == "models/resnet.py");
  CHECK(lines[0].line == 88);
  CHECK(lines[0].regions.size() == 16);
  CHECK(lines[0].regions[0] == finding.groups[0].regions[0]);
}

TEST_CASE("each line appears once, that of the first region first") {
  Scanned file = resnet50();
  file.report->regions[3].place = "/home/ci/checkout/models/resnet.py:7";
  file.report->regions[15].place = "/other.py:88";
  std::vector<CodeLine> lines = code_lines(file, file.report->findings[0], {});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].path == "/other.py");
  CHECK(lines[0].regions == std::vector{15});
  CHECK(lines[1].line == 88);
  CHECK(lines[2].line == 7);
}

TEST_CASE("without a line, a finding points at the scanned file") {
  Scanned file = resnet50();
  for (RegionReport& region : file.report->regions) region.place.clear();
  std::vector<CodeLine> lines = code_lines(file, file.report->findings[0], {{{"models", "m"}}});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].path == "m/resnet50.pt");
  CHECK(lines[0].line == 0);
}

TEST_CASE("what is not a line number") {
  for (std::string source : {"resnet.py", "resnet.py:", "resnet.py:-3", "resnet.py:8x", "resnet.py:99999999999", ""}) {
    Scanned file = resnet50();
    for (RegionReport& region : file.report->regions) region.place = source;
    INFO(source);
    CHECK(code_lines(file, file.report->findings[0], {}).front().line == 0);
  }
}

TEST_CASE("a remark says what is wrong, why and how to fix it") {
  Scanned file = resnet50();
  std::string text = remark(*file.report, file.report->findings[0]);
  CHECK_THAT(text, tests::contains("is marked ready twice in iteration 0. The hooks of 156 parameters"));
  CHECK_THAT(text, tests::contains(" Fix: " + file.report->fixes[0].change));
  file.report->fixes.clear();
  CHECK_THAT(remark(*file.report, file.report->findings[0]), !tests::contains("repairs"));
}

}  // namespace
}  // namespace gradscan
