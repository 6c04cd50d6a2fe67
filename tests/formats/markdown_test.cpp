#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

using tests::case_named;
using tests::report_from_marks;

constexpr std::size_t longest = 65'536;

TEST_CASE("Markdown of a report and of a survey", "[golden]") {
  tests::check_golden("resnet50.md", to_markdown(Survey{{tests::survey_of_three().files[2]}}));
  tests::check_golden("survey.md", to_markdown(tests::survey_of_five()));
}

TEST_CASE("Markdown of a clean file, of a file that could not be scanned, of none") {
  Survey survey = tests::survey_of_three();
  CHECK_THAT(to_markdown(Survey{{survey.files[0]}}),
             Catch::Matchers::StartsWith("## gradscan: 1 file: 1 clean\n\n### `models/once.pt`: ok\n"));
  CHECK_THAT(
      to_markdown(Survey{{survey.files[1]}}),
      tests::contains("| could not be scanned | `models/bert.pt` | is cut short (no zip directory): copy the file again |"));
  CHECK(to_markdown(Survey{}) == "## gradscan: 0 files\n\n| | file | |\n| --- | --- | --- |\n");
}

TEST_CASE("Markdown says how many changes that do not help it leaves out") {
  Survey survey{{tests::survey_of_three().files[2]}};
  survey.files[0].report->no_help.assign(8, {"a change", "a reason"});
  CHECK_THAT(to_markdown(survey), tests::contains("- a change: a reason\n- and 2 more\n"));
}

TEST_CASE("a comment is never longer than GitHub accepts") {
  Survey survey = tests::survey_of_three();
  for (int at = 0; at < 300; ++at) survey.files.push_back(survey.files[2]);
  std::string text = to_markdown(survey);
  CHECK(text.size() <= longest);
  CHECK(text.size() > longest / 2);
  CHECK_THAT(text, Catch::Matchers::EndsWith("See the full report.*\n"));
  std::size_t opened = 0, closed = 0;
  for (std::size_t at = 0; (at = text.find("<details>", at)) != std::string::npos; ++at) ++opened;
  for (std::size_t at = 0; (at = text.find("</details>", at)) != std::string::npos; ++at) ++closed;
  CHECK(opened == closed);
  Scanned file = survey.files[2];
  for (ParameterReport& parameter : file.report->parameters) parameter.name = std::string(100'000, 'x');
  file.report->findings[0].title = file.report->findings[0].why = std::string(100'000, '@');
  file.path = std::string(100'000, 'y');
  CHECK(to_markdown(Survey{{file}}).size() <= longest);
}

TEST_CASE("hostile names stay inside code") {
  Capture capture = case_named("twice");
  capture.parameters[2].name = "@team #1 <script>alert(1)</script> | ` <!-- ";
  capture.regions[0].name = capture.regions[1].name = "</details> @admin\n# heading";
  Report report = report_from_marks(capture);
  std::string text = to_markdown(Survey{{{.path = "a|b`c@d.pt", .report = report, .exit_code = 1},
                                         {.path = "x|y.pt", .error = "@everyone | <b>", .exit_code = 3}}});
  // Outside of code, which is what stands between equal runs of backticks.
  std::string outside;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t run = 0;
    while (at + run < text.size() && text[at + run] == '`') ++run;
    if (run == 0) {
      outside += text[at++];
      continue;
    }
    std::string fence(run, '`');
    std::size_t end = at + run;
    while ((end = text.find(fence, end)) != std::string::npos && (text[end + run] == '`' || text[end - 1] == '`'))
      while (text[end] == '`') ++end;
    REQUIRE(end != std::string::npos);
    at = end + run;
  }
  for (std::string bad : {"@", "<script", "#1", "<!--", "# heading", "<b>"}) CHECK_THAT(outside, !tests::contains(bad));
}

}  // namespace
}  // namespace gradscan
