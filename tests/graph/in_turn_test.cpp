#include "analyzer/graph/in_turn.h"

#include "gradscan/error.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using tests::capture_from_text;

namespace {

Capture with_further(int further, std::vector<int> turns = {}) {
  Capture capture = capture_from_text("parameter w\ninput x\nx = mul x w\noutput x");
  capture.further.assign(further, capture);
  capture.turns = std::move(turns);
  return capture;
}

std::vector<Capture> both(const Capture& first, const Capture& second) {
  std::vector<Capture> in_turn = graphs_of(first), rest = graphs_of(second);
  in_turn.insert(in_turn.end(), rest.begin(), rest.end());
  return in_turn;
}

}  // namespace

TEST_CASE("calls follow the turns of each file") {
  CHECK(turns_of(graphs_of(with_further(0))) == std::vector{0});
  CHECK(turns_of(graphs_of(with_further(2))) == std::vector{0, 1, 2});
  CHECK(turns_of(graphs_of(with_further(1, {0, 0, 1, 0}))) == std::vector{0, 0, 1, 0});
  CHECK(turns_of(both(with_further(1, {0, 0, 1}), with_further(1, {0, 1, 1}))) == std::vector{0, 0, 1, 2, 3, 3});
}

TEST_CASE("further graphs must follow their capture") {
  const Capture alone = with_further(1);
  CHECK_THROWS_AS(turns_of(std::span(&alone, 1)), Error);
}

TEST_CASE("iterations come round to where they began") {
  const auto turns = [](int count) { return std::vector<int>(count); };
  CHECK(iterations_for(turns(1), {}) == 4);
  CHECK(iterations_for(turns(3), {}) == 4);
  CHECK(iterations_for(turns(4), {}) == 5);
  CHECK(iterations_for(turns(9), {}) == 10);
  CHECK(iterations_for(turns(10), {.forwards = 2}) == 6);
  CHECK(iterations_for(turns(5), {.forwards = 2}) == 6);
  CHECK(iterations_for(turns(6), {.no_sync = 1}) == 4);
}
