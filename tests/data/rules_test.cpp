#include "analyzer/data/rules.h"

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "analyzer/formats/rules_words.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"
#include "tests/support/truth_cases.h"

namespace gradscan {
namespace {

// Every run of blanks as one.
std::string joined(std::istream& text) {
  std::string words;
  for (std::string word; text >> word;) words += (words.empty() ? "" : " ") + word;
  return words;
}

std::string documentation() {
  std::ifstream file("docs/findings.md");
  return joined(file);
}

TEST_CASE("the documentation has each rule in the words of the table, and no other") {
  std::string text = documentation();
  std::size_t at = 0;
  for (const Rule& rule : rules()) {
    for (const std::string& part :
         {"## " + std::string(rule.id) + " **" + std::string(rule.title) + "** (" +
              (rule.severity == Severity::error    ? std::string("error:")
               : rule.severity == Severity::silent ? "silent failure:"
                                                   : std::string(severity_words(rule.severity).name) + ")"),
          std::string(rule.help), "*What to do.* " + std::string(rule.remedy)}) {
      INFO(part);
      std::size_t found = text.find(part, at);
      REQUIRE(found != std::string::npos);
      at = found + part.size();
    }
  }
  std::size_t headings = 0;
  for (std::size_t found = text.find(" ## "); found != std::string::npos; found = text.find(" ## ", found + 1)) ++headings;
  CHECK(headings == rules().size());
}

// A parameter that is not trained is worth a note where the loss does not need it, or where an error stops the training.
TEST_CASE("every finding is of a rule, at its level") {
  std::set<std::string> met;
  for (const auto& [name, training] : tests::truth_cases())
    for (const Setup& setup : {Setup{}, Setup{.find_unused_parameters = true}, Setup{.static_graph = true}})
      for (const Finding& finding : tests::report_from_marks(tests::case_named(name), setup).findings) {
        INFO(finding.rule);
        const Rule* rule = find_rule(finding.rule);
        REQUIRE(rule != nullptr);
        const bool less = finding.rule == "not-trained" && finding.severity == Severity::note;
        CHECK((finding.severity == rule->severity || less));
        met.insert(finding.rule + (less ? ", less" : ""));
      }
  CHECK(met == std::set<std::string>{"marked-ready-twice", "no-regions-named", "not-trained", "not-trained, less",
                                     "unfinished-reduction"});
}

// Literals in the source: what cannot be made without torch is a rule too.
TEST_CASE("the table has the rules that findings are made of") {
  std::ifstream file("analyzer/diagnose/findings.cpp");
  std::stringstream source;
  source << file.rdbuf();
  const std::string text = source.str();
  const std::regex literal("\"([a-z]+(-[a-z]+)+)\"");
  std::set<std::string> used, known;
  for (std::sregex_iterator at(text.begin(), text.end(), literal), end; at != end; ++at) used.insert((*at)[1]);
  for (const Rule& rule : rules()) known.insert(std::string(rule.id));
  CHECK(used == known);
}

TEST_CASE("no rule of another name") {
  CHECK(find_rule("marked-ready-thrice") == nullptr);
  CHECK(find_rule("") == nullptr);
}

TEST_CASE("rules for a terminal", "[golden]") {
  tests::check_golden("findings.txt", findings_in_words());
}

}  // namespace
}  // namespace gradscan
