#include "analyzer/graph/name_globs.h"

#include "analyzer/graph/patterns.h"
#include "analyzer/text/globs.h"
#include "tests/support/catch.h"

namespace gradscan {
namespace {

std::vector<std::string> globs(const std::vector<Parameter>& parameters, const std::vector<bool>& chosen) {
  Capture capture;
  capture.parameters = parameters;
  return globs_for(capture, chosen);
}

using Globs = std::vector<std::string>;

TEST_CASE("a module stands for all of its parameters") {
  std::vector<Parameter> parameters{{"stem.weight"}, {"head.fc.weight"}, {"head.fc.bias"}, {"head.norm.weight"}};
  CHECK(globs(parameters, {false, true, true, true}) == Globs{"head.*"});
  CHECK(globs(parameters, {false, true, true, false}) == Globs{"head.fc.*"});
  CHECK(globs(parameters, {false, true, false, false}) == Globs{"head.fc.weight"});
  CHECK(globs(parameters, {true, true, true, true}) == Globs{"*"});
}

TEST_CASE("another name of a parameter that is not chosen counts, a frozen parameter does not") {
  std::vector<Parameter> parameters{{"table.weight", {"head.weight"}}, {"head.bias"}, {"old.weight"}, {"old.bias"}};
  CHECK(globs(parameters, {false, true, false, false}) == Globs{"head.bias"});
  parameters[2].requires_grad = false;
  CHECK(globs(parameters, {false, false, false, true}) == Globs{"old.*"});
}

TEST_CASE("a glob of a name matches that name alone") {
  for (const char* name : {"a.b", "fn[0]", "f*", "what?", "back\\slash"}) {
    CHECK(glob_match(as_glob(name), name));
    CHECK_FALSE(glob_match(as_glob(name), std::string(name) + "x"));
  }
  CHECK_FALSE(glob_match(as_glob("f*"), "fn"));
}

TEST_CASE("words for a shell") {
  CHECK(quoted("layer4.2=non-reentrant") == "layer4.2=non-reentrant");
  CHECK(quoted("head.*") == "'head.*'");
  CHECK(quoted("it's") == "'it'\\''s'");
  CHECK(quoted("") == "''");
}

}  // namespace
}  // namespace gradscan
