#include "dot/select/focus.h"

#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

namespace {

std::string refusal(const Report& report, const std::string& wanted) {
  try {
    find_focus(report, wanted);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a parameter is found by name, alias and index") {
  Report report = resnet50();
  report.parameters[157].aliases = {"tied.weight"};
  for (const char* wanted : {"layer4.2.bn3.weight", "tied.weight", "157"}) {
    INFO(wanted);
    const Focus focus = find_focus(report, wanted);
    CHECK(focus.parameters == std::vector<int>{157});
    CHECK(focus.regions.empty());
    CHECK(focus.name == "layer4.2.bn3.weight (#157)");
  }
}

TEST_CASE("regions of one name are found together, and each by its call") {
  const Focus both = find_focus(used_twice(), "l2");
  CHECK(both.regions == std::vector<int>{0, 1});
  CHECK(both.parameters == std::vector<int>{2, 3});
  CHECK(find_focus(used_twice(), "l2, call 2").regions == std::vector<int>{1});
}

TEST_CASE("what is neither is refused in one line") {
  CHECK(refusal(resnet50(), "layer4.2.bn3.weigth") ==
        "layer4.2.bn3.weigth: is neither a parameter that requires grad nor a checkpoint region: did you mean "
        "layer4.2.bn3.weight, layer1.2.bn3.weight or layer2.2.bn3.weight?");
  CHECK(refusal(used_twice(), "nothing like it") ==
        "nothing like it: is neither a parameter that requires grad nor a checkpoint region: "
        "use a name or an index in the report");
  CHECK(refusal(used_twice(), "-1") != "accepted");
  CHECK(refusal(used_twice(), "4") != "accepted");
}
