#include "analyzer/report/stages.h"

#include <algorithm>
#include <functional>

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::capture_from_text;
using tests::report_from_marks;

TEST_CASE("regions and the runs between them are stages in the order of backward") {
  Report report = report_from_marks(capture_from_text(R"(
    parameter stem.weight stem.bias a.weight a.bias b.weight b.bias head.weight head.bias
    input x
    h = linear x stem
    region a reentrant h
      h = linear h a
    end h
    region b reentrant h
      h = linear h b
    end h
    h = linear h head
    output h
  )"));
  const std::vector<Stage>& stages = report.stages;
  REQUIRE(stages.size() == 4);
  CHECK(stages[0].label == "head");
  CHECK(stages[1].label == "b");
  CHECK(stages[2].label == "a");
  CHECK(stages[3].label == "stem");
  CHECK(stages[0].region == none);
  CHECK(stages[1].region == 1);
  CHECK(stages[2].parameters == std::vector<int>{2, 3});
  CHECK(stages[0].next == std::vector<int>{1});
  CHECK(stages[1].next == std::vector<int>{2});
  CHECK(stages[3].next.empty());
}

TEST_CASE("regions that are not reentrant are stages too") {
  Capture capture = tests::case_named("once");
  for (Checkpointing kind : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off}) {
    std::vector<Stage> stages = report_from_marks(capture, Setup{.checkpointing = kind}).stages;
    REQUIRE(stages.size() == 2);
    CHECK(stages[0].label == "l2");
    CHECK(stages[0].next == std::vector<int>{1});
    CHECK(stages[1].label == "l1");
  }
}

TEST_CASE("nested regions belong to the stage of the outermost") {
  std::vector<Stage> stages = report_from_marks(tests::case_named("nested")).stages;
  REQUIRE(stages.size() == 2);
  CHECK(stages[0].region == 0);
  CHECK(stages[0].parameters.size() == 4);
  CHECK(stages[1].label == "l1");
}

TEST_CASE("a region whose argument does not require grad passes nothing on") {
  std::vector<Stage> stages = report_from_marks(tests::case_named("input_without_grad")).stages;
  REQUIRE(stages.size() == 2);
  CHECK(stages[0].next.empty());
}

TEST_CASE("edges lead to later stages only, each once") {
  for (const Setup& setup : {Setup{}, Setup{.checkpointing = Checkpointing::off}}) {
    std::vector<Stage> stages = report_from_marks(tests::resnet50(), setup).stages;
    CHECK(stages.size() == 33);
    for (std::size_t at = 0; at < stages.size(); ++at) {
      CHECK(std::is_sorted(stages[at].next.begin(), stages[at].next.end(), std::less_equal<>()));
      for (int next : stages[at].next) CHECK(next > static_cast<int>(at));
    }
  }
}

TEST_CASE("labels name at most three modules") {
  CHECK(module_label({}) == "forward");
  CHECK(module_label({"avgpool", "fc", "fc"}) == "avgpool, fc");
  CHECK(module_label({"layer1.0.relu", "layer1.0.bn", "layer1.0.conv", "layer1.1.conv"}) == "layer1.0, layer1.1");
  CHECK(module_label({"a", "b", "c", "d"}) == "a … d (4 modules)");
}

}  // namespace
}  // namespace gradscan
