#include "analyzer/command/project.h"

#include <filesystem>

#include "analyzer/command/option_table.h"
#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace gradscan;
using namespace gradscan::tests;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Strings = std::vector<std::string>;

namespace {

Strings arguments_of(const std::string& toml) {
  TemporaryFolder folder;
  folder.write("gradscan.toml", toml);
  return project_of({folder.path("m.pt")}).arguments;
}

std::string refusal(const std::string& toml) {
  TemporaryFolder folder;
  folder.write("gradscan.toml", toml);
  try {
    project_of({folder.path("m.pt")});
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    std::string line = error.what(), file = folder.path("gradscan.toml") + ": ";
    CHECK(line.starts_with(file));
    return line.substr(file.size());
  }
  return "accepted";
}

}  // namespace

TEST_CASE("Keys of a project are options") {
  CHECK(arguments_of("").empty());
  CHECK(arguments_of("find-unused-parameters = true\nstatic-graph = false\nbucket-cap-mb = 12.5\nforwards = 2\n") ==
        Strings{"--bucket-cap-mb=12.5", "--find-unused-parameters", "--forwards=2", "--no-static-graph"});
  CHECK(arguments_of("bucket-cap-mb = 12345678.9") == Strings{"--bucket-cap-mb=12345678.9"});
  CHECK(arguments_of("checkpoint = [\"a.*\", \"b=off\"]") == Strings{"--checkpoint=a.*", "--checkpoint=b=off"});
}

TEST_CASE("Paths in a project are relative to its folder") {
  Strings arguments = arguments_of("baseline = \"known/b.json\"");
  REQUIRE(arguments.size() == 1);
  CHECK(std::filesystem::path(arguments[0].substr(11)).is_absolute());
  CHECK_THAT(arguments[0], EndsWith("/known/b.json"));
}

TEST_CASE("Every option is a key, but those that are asked of a single run; every file's path is the project's") {
  CommandLine line;
  for (const OptionGroup& group : option_table(line))
    for (const Option& option : group.options) {
      INFO(option.name);
      std::string some = option.value.words.empty() ? "x" : "x" + option.value.words.front();
      if (option.single_run) {
        CHECK_THAT(refusal(option.name + " = '" + some + "'"), Contains(option.name + " is asked of a single run"));
      } else if (option.value.takes == Takes::file || option.value.takes == Takes::output) {
        std::string argument = arguments_of(option.name + " = 'sub/" + some + "'").front();
        CHECK_THAT(argument, StartsWith("--" + option.name + "=/") && EndsWith("/sub/" + some));
      } else if (option.value.takes == Takes::nothing) {
        CHECK(arguments_of(option.name + " = true") == Strings{"--" + option.name});
      }
    }
}

TEST_CASE("The nearest project counts") {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("a/b"));
  folder.write("gradscan.toml", "forwards = 1");
  CHECK(project_of({folder.path("a/b/m.pt")}).arguments == Strings{"--forwards=1"});
  folder.write("a/gradscan.toml", "forwards = 2");
  CHECK(project_of({folder.path("a/b/m.pt")}).arguments == Strings{"--forwards=2"});
  CHECK(project_of({folder.path("a/b/m.pt"), folder.path("a/n.pt")}).arguments == Strings{"--forwards=2"});
  CHECK_THROWS_WITH(project_of({folder.path("a/m.pt"), folder.path("m.pt")}), Contains("is of another project"));
}

TEST_CASE("What is wrong in a project is said of its file") {
  CHECK_THAT(refusal("x = "), Contains("line 1 is not TOML"));
  CHECK_THAT(refusal("find-unused-parameter = true"), Contains("did you mean --find-unused-parameters"));
  CHECK_THAT(refusal("forwards = 0"), Contains("is not a whole number"));
  CHECK_THAT(refusal("[forwards]\nx = 1"), Contains("the value of forwards is not of an option"));
  CHECK_THAT(refusal("forwards = 2026-11-24"), Contains("the value of forwards is not of an option"));
  CHECK_THAT(refusal("fix = 1"), Contains("fix is asked of a single run"));
  CHECK_THAT(refusal("static-graph = 1"), Contains("--static-graph=1: takes no value"));
  CHECK_THAT(refusal("ignore = \"\\u0000\""), Contains("has a NUL in it"));
  CHECK_THAT(refusal("freeze = true"), Contains("--freeze: "));
  CHECK_THAT(refusal("output = true"), Contains("--output: "));
  CHECK_THAT(refusal("version = true"), Contains("version is asked of a single run"));
  CHECK_THAT(refusal("\"MODEL x\" = 1"), Contains("is not an option"));
}
