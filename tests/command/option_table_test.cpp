// What the parser takes, asked of the parser, is told everywhere.
#include "analyzer/command/option_table.h"

#include <CLI/CLI.hpp>
#include <set>
#include <sstream>

#include "analyzer/command/completion.h"
#include "analyzer/command/help.h"
#include "analyzer/command/man_page.h"
#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;

namespace {

struct Spelling {
  std::string name;     // "--no-static-graph"
  std::string in_help;  // "--[no-]static-graph"
  bool is_flag = false;
};

// All that the parser takes.
std::vector<Spelling> spellings_in_parser(const OptionTable& table) {
  CLI::App app;
  add_to(app, table);
  std::vector<Spelling> all;
  for (const CLI::Option* option : app.get_options()) {
    bool is_flag = option->get_items_expected_max() == 0, negatable = !option->get_fnames().empty();
    for (const std::string& letter : option->get_snames()) all.push_back({"-" + letter, "-" + letter, is_flag});
    for (const std::string& name : option->get_lnames())
      all.push_back({"--" + name, negatable ? "--[no-]" + option->get_lnames().front() : "--" + name, is_flag});
  }
  return all;
}

std::string in_roff(const std::string& name) {
  std::string text;
  for (char c : name) text.append(c == '-' ? "\\" : "").push_back(c);
  return "\\fB" + text + "\\fR";
}

std::string in_fish(const std::string& name) {
  return name.starts_with("--") ? " -l " + name.substr(2) + " " : " -s " + name.substr(1) + " ";
}

}  // namespace

TEST_CASE("Whatever the parser takes is in the help, the man page and every completion") {
  CommandLine line;
  OptionTable table = option_table(line);
  std::vector<Spelling> spellings = spellings_in_parser(table);
  CHECK(spellings.size() > 50);
  for (const auto& [name, in_help, is_flag] : spellings) {
    INFO(name);
    CHECK_THAT(help(table), Contains(" " + in_help + " ") || Contains(" " + in_help + ",") || Contains(" " + in_help + "\n"));
    CHECK_THAT(man_page(table), Contains(in_roff(name)));
    CHECK_THAT(completion(Shell::bash, table),
               Contains(" " + name + " ") || Contains("'" + name + " ") || Contains(name + "'"));
    CHECK_THAT(completion(Shell::fish, table), Contains(in_fish(name)));
    std::string zsh = name + (is_flag ? "" : name.starts_with("--") ? "=" : "+");
    CHECK_THAT(completion(Shell::zsh, table), Contains(zsh));
  }
}

TEST_CASE("The help fits a terminal, and is the approved one") {
  CommandLine line;
  std::string text = help(option_table(line)), row;
  check_golden("help.txt", text);
  std::istringstream rows(text);
  while (std::getline(rows, row)) {
    INFO(row);
    CHECK(row.size() <= 80);
    CHECK_FALSE(row.ends_with(' '));
    CHECK(row.find("{}") == std::string::npos);
  }
}

TEST_CASE("The help and the man page have every exit code") {
  CommandLine line;
  OptionTable table = option_table(line);
  for (int code : {0, 1, exit_code(Failure::usage), exit_code(Failure::not_a_model), exit_code(Failure::model_failed),
                   exit_code(Failure::limit), exit_code(Failure::output), exit_code(Failure::internal)}) {
    CHECK_THAT(help(table), Contains((code < 10 ? "\n   " : "\n  ") + std::to_string(code) + "  "));
    CHECK_THAT(man_page(table), Contains(".TP\n\\fB" + std::to_string(code) + "\\fR\n"));
  }
}

TEST_CASE("Rows agree with each other") {
  CommandLine line;
  OptionTable table = option_table(line);
  std::set<std::string> names;
  for (const OptionGroup& group : table)
    for (const Option& option : group.options) {
      INFO(option.name);
      CHECK(names.insert(option.name).second);
      CHECK_FALSE(option.help.empty());
      CHECK((option.value.takes == Takes::nothing) == option.value.metavar.empty());
      CHECK((option.help.find("{}") == std::string::npos || !option.value.words.empty()));
      for (const std::string& question : option.apart_from) CHECK(find_option(table, question));
      if (!option.may_replace.empty()) CHECK(find_option(table, option.may_replace)->value.takes == Takes::file);
    }
}
