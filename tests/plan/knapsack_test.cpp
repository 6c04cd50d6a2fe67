#include "analyzer/plan/knapsack.h"

#include "tests/support/catch.h"

using namespace gradscan;

TEST_CASE("nothing is chosen if nothing has to be freed") {
  CHECK(choose({{.freed = 10, .recomputed = 0, .flops = 1}}, 0).empty());
  CHECK(choose({}, -5).empty());
  CHECK(choose({}, 5).empty());
}

TEST_CASE("the cheapest option that frees enough is chosen") {
  std::vector<Option> options{{.freed = 10, .recomputed = 2, .flops = 9},
                              {.freed = 10, .recomputed = 2, .flops = 3},
                              {.freed = 30, .recomputed = 2, .flops = 11}};
  CHECK(choose(options, 8) == std::vector{1});
  CHECK(choose(options, 18) == std::vector{2});
  CHECK(choose(options, 38) == std::vector{1, 2});
}

TEST_CASE("only the largest recomputation counts") {
  std::vector<Option> options{{.freed = 10, .recomputed = 6, .flops = 1},
                              {.freed = 10, .recomputed = 6, .flops = 1},
                              {.freed = 9, .recomputed = 1, .flops = 5}};
  CHECK(choose(options, 4) == std::vector{0});
  CHECK(choose(options, 14) == std::vector{0, 1});
  options[0].flops = options[1].flops = 3;
  CHECK(choose(options, 8) == std::vector{2});
  CHECK(choose(options, 20) == std::vector{0, 1, 2});
}

TEST_CASE("an option is chosen whole or its parts are") {
  std::vector<Option> options{{.freed = 20, .recomputed = 8, .flops = 10},
                              {.parent = 0, .freed = 9, .recomputed = 4, .flops = 6},
                              {.parent = 0, .freed = 9, .recomputed = 4, .flops = 6}};
  CHECK(choose(options, 5) == std::vector{1});
  CHECK(choose(options, 12) == std::vector{0});
  CHECK(choose(options, 14) == std::vector{1, 2});
  options[0].eligible = false;
  CHECK(choose(options, 12) == std::vector{1, 2});
}

TEST_CASE("options that free memory without work are chosen along with others") {
  std::vector<Option> options{{.freed = 5, .recomputed = 0, .flops = 0}, {.freed = 5, .recomputed = 0, .flops = 7}};
  CHECK(choose(options, 10) == std::vector{0, 1});
}

TEST_CASE("if nothing is enough, the choice that leaves least is taken") {
  std::vector<Option> options{{.freed = 10, .recomputed = 9, .flops = 1}, {.freed = 4, .recomputed = 1, .flops = 1}};
  CHECK(choose(options, 100) == std::vector{0, 1});
  options[0].recomputed = 12;
  CHECK(choose(options, 100) == std::vector{1});
}

TEST_CASE("a thousand options do not take long") {
  std::vector<Option> options;
  std::int64_t all = 0;
  for (int id = 0; id < 1000; ++id) {
    options.push_back({.parent = id == 0 ? -1 : (id - 1) / 7,
                       .freed = 1000 + id * 7919 % 5003,
                       .recomputed = id * 104729 % 997,
                       .flops = id * 1299709 % 10007});
    if (id >= 143) all += options.back().freed;
  }
  options[0].eligible = false;
  std::int64_t freed = 0, largest = 0;
  for (int id : choose(options, all / 2)) {
    freed += options[id].freed;
    largest = std::max(largest, options[id].recomputed);
  }
  CHECK(freed - largest >= all / 2);
}
