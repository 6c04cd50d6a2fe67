#include <algorithm>
#include <sstream>

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("annotations of a survey", "[golden]") {
  tests::check_golden("survey.github", to_github(tests::survey_of_five(), {{{"/home/ci/checkout/", ""}}}));
}

TEST_CASE("errors, then silent failures, both as errors; nothing that is accepted") {
  std::vector<std::string> lines = lines_of(to_github(tests::survey_of_five()));
  REQUIRE(lines.size() == 3);
  CHECK_THAT(lines[0], Catch::Matchers::StartsWith("::error file=models/bert.pt,title=gradscan%3A not scanned::"));
  CHECK_THAT(lines[1], Catch::Matchers::StartsWith("::error file=/home/ci/checkout/models/resnet.py,line=88,"
                                                   "title=gradscan%3A marked-ready-twice::models/resnet50.pt: "));
  CHECK_THAT(lines[2], tests::contains("title=gradscan%3A not-averaged (silent)::"));
}

TEST_CASE("nothing to say") {
  CHECK(to_github(Survey{}) == "");
  Report report = tests::report_from_marks(tests::case_named("once"));
  CHECK(to_github(Survey{{{.path = "once.pt", .report = report}}}) == "");
}

TEST_CASE("a note is a notice") {
  Report report = tests::report_from_marks(tests::case_named("plain"));
  CHECK_THAT(to_github(Survey{{{.path = "plain.pt", .report = report}}}),
             Catch::Matchers::StartsWith("::notice file=plain.pt,title=gradscan%3A no-regions-named::"));
}

TEST_CASE("at most ten of each level, and the last says how many more there are") {
  Survey survey;
  for (int at = 0; at < 10; ++at) survey.files.push_back({.path = std::to_string(at), .error = "e", .exit_code = 3});
  CHECK(lines_of(to_github(survey)).size() == 10);
  CHECK_THAT(to_github(survey), !tests::contains("more"));
  for (int at = 10; at < 25; ++at) survey.files.push_back({.path = std::to_string(at), .error = "e", .exit_code = 3});
  std::vector<std::string> lines = lines_of(to_github(survey));
  REQUIRE(lines.size() == 10);
  CHECK(lines[8] == "::error file=8,title=gradscan%3A not scanned::e");
  CHECK(lines[9] == "::error title=gradscan::16 more, see the full report");
}

TEST_CASE("no name ends a command or begins another") {
  Scanned file{.path = "a,b:c%\r\n::error::d.pt", .error = "x%0A\n::warning::y\x1b", .exit_code = 3};
  std::string text = to_github(Survey{{file}});
  CHECK(text ==
        "::error file=a%2Cb%3Ac%25\\r\\n%3A%3Aerror%3A%3Ad.pt,title=gradscan%3A not scanned::"
        "x%250A\\n::warning::y\\x1b\n");
}

}  // namespace
}  // namespace gradscan
