#include "analyzer/formats/survey_words.h"

#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"
#include "tests/support/surveys.h"

namespace gradscan {
namespace {

TEST_CASE("text of a survey", "[golden]") {
  tests::check_golden("survey.txt", to_text(tests::survey_of_five()));
  tests::check_golden("survey_160.txt", to_text(tests::survey_of_five(), {.width = 160}));
}

TEST_CASE("the text of a single file is its report") {
  Survey survey = tests::survey_of_three();
  CHECK(to_text(Survey{{survey.files[2]}}, {.width = 100}) == to_text(*survey.files[2].report, {.width = 100}));
  CHECK(to_text(Survey{{survey.files[1]}}) ==
        "FAILED  models/bert.pt: is cut short (no zip directory): copy the file again\n"
        "\n"
        "1 file: 1 could not be scanned\n");
}

TEST_CASE("a file whose conflicts are all accepted shows the reasons, each once") {
  Survey survey = tests::survey_of_five();
  Scanned& file = survey.files[4];
  REQUIRE(file.report);
  CHECK(in_words(file) == "1 finding accepted (fixed with the next release), no others");
  file.report->findings.push_back(file.report->findings.front());
  CHECK(in_words(file) == "2 findings accepted (fixed with the next release), no others");
  file.report->findings.back().accepted = "nobody trains it";
  CHECK(in_words(file) == "2 findings accepted (fixed with the next release and nobody trains it), no others");
}

TEST_CASE("the colours of a survey take up no columns") {
  std::string colored = to_text(tests::survey_of_five(), {.color = true});
  CHECK(colored.find("\x1b[1;31mERROR\x1b[0m   models/resnet50.pt: ") != std::string::npos);
  std::string plain;
  for (std::size_t at = 0; at < colored.size(); ++at)
    if (colored[at] == '\x1b')
      at = colored.find('m', at);
    else
      plain += colored[at];
  CHECK(plain == to_text(tests::survey_of_five()));
}

TEST_CASE("the summary of a survey leaves out outcomes that do not occur") {
  Survey survey = tests::survey_of_five();
  CHECK(summary(survey) == "5 files: 1 error, 1 silent failure, 2 clean, 1 could not be scanned");
  CHECK(summary(Survey{{survey.files[0]}}) == "1 file: 1 clean");
  CHECK(summary(Survey{}) == "0 files");
}

TEST_CASE("a path does nothing to the terminal") {
  std::string text = to_text(Survey{{{.path = "a\x1b[2J\n.pt", .error = "cannot be read", .exit_code = 3}}});
  CHECK(text.find("a\\x1b[2J\\n.pt: cannot be read") != std::string::npos);
}

}  // namespace
}  // namespace gradscan
