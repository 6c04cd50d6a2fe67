#include "analyzer/formats/fix_words.h"

#include "tests/support/catch.h"

using namespace gradscan;

namespace {

// Of a step that works 1000 FLOPs.
Price price_of(std::int64_t bytes, std::int64_t again) {
  return {.outside = bytes, .forward_flops = 400, .backward_flops = 600, .recompute_flops = again};
}

}  // namespace

TEST_CASE("a price shows the figures that change") {
  CHECK(price_in_words(price_of(128, 100), price_of(64, 200)) ==
        "up to 128 B of activations instead of 64 B, 10% of the work recomputed instead of 20%");
  CHECK(price_in_words(price_of(128, 100), price_of(64, 100)) == "up to 128 B of activations instead of 64 B");
  CHECK(price_in_words(price_of(64, 100), price_of(64, 200)) == "10% of the work recomputed instead of 20%");
  CHECK(price_in_words(price_of(64, 100), price_of(64, 100)) == "memory and work unchanged");
}

TEST_CASE("figures that read the same are unchanged") {
  CHECK(price_in_words(price_of((64 << 20) + 1, 101), price_of(64 << 20, 100)) == "memory and work unchanged");
}

TEST_CASE("a price leaves out what is unknown") {
  CHECK(price_in_words({}, {}).empty());
  CHECK(price_in_words({.outside = 128}, {.outside = 64}) == "up to 128 B of activations instead of 64 B");
  CHECK(price_in_words({.outside = 64}, {.outside = 64}) == "memory unchanged");
}
