#include "analyzer/diagnose/step_words.h"

#include "tests/support/catch.h"

using namespace gradscan;
using Strings = std::vector<std::string>;

TEST_CASE("a step is told by what is not as usual") {
  CHECK(in_words(TrainingStep{}) == Strings{});
  CHECK(in_words(TrainingStep{.forwards = 2, .backwards = 3, .no_sync = 1}) ==
        Strings{"one loss combines 2 forward calls", "backward runs 3 times for one loss",
                "1 loss goes backward in no_sync() before the synchronised one"});
  CHECK(in_words(TrainingStep{.no_sync = 2}) == Strings{"2 losses go backward in no_sync() before the synchronised one"});
  Strings uses = in_words(TrainingStep{.used_outside = {"a", "b"}, .zero_times = {"c"}});
  REQUIRE(uses.size() == 2);
  CHECK_THAT(uses[0], Catch::Matchers::StartsWith("the loss uses a and b "));
  CHECK(uses[1] == "0.0 times the sum of c is added to the loss");
  CHECK(in_words(TrainingStep{.checkpoint_around = Kind::non_reentrant, .set_to_none = false}) ==
        Strings{"a non-reentrant checkpoint wraps the whole model", "zero_grad(set_to_none=False)"});
}

TEST_CASE("iterations in words") {
  CHECK(iterations_in_words({0, 1, 2, 3}, {}) == "in every iteration");
  CHECK(iterations_in_words({0, 1, 2, 3}, {.iterations = 6}) == "in iterations 0, 1, 2 and 3");
  CHECK(iterations_in_words({2}, {}) == "in iteration 2");
  CHECK(iterations_in_words({1, 2, 3}, {}) == "in iterations 1, 2 and 3");
  CHECK(iterations_in_words(Verdict{}) == "four iterations");
  CHECK(iterations_in_words(Verdict{.iterations = 6}) == "6 iterations");
}
