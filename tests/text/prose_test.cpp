#include "analyzer/text/prose.h"

#include "tests/support/catch.h"

namespace gradscan {
namespace {

TEST_CASE("text is wrapped at words") {
  CHECK(wrap("one two three", 9, "- ", "  ") == "- one two\n  three\n");
  CHECK(wrap("longer_than_the_line x", 6, "", "") == "longer_than_the_line\nx\n");
  CHECK(wrap("", 10, "|", "|") == "|\n");
  CHECK(wrap("größe ok", 8, "", "") == "größe ok\n");
}

TEST_CASE("index ranges") {
  CHECK(index_ranges({3}) == "#3");
  CHECK(index_ranges({1, 2, 3, 5, 7, 8}) == "#1-#3, #5, #7-#8");
  CHECK(index_ranges({}).empty());
}

TEST_CASE("enumerations") {
  CHECK(enumerate({"a"}, 3) == "a");
  CHECK(enumerate({"a", "b"}, 3) == "a and b");
  CHECK(enumerate({"a", "b", "c"}, 3) == "a, b and c");
  CHECK(enumerate({"a", "b", "c", "d"}, 2) == "a, b and 2 more");
  CHECK(count(1, "region") == "1 region");
  CHECK(count(0, "region") == "0 regions");
}

TEST_CASE("sizes") {
  CHECK(bytes(0) == "0 B");
  CHECK(bytes(1023) == "1023 B");
  CHECK(bytes(1536) == "1.5 KiB");
  CHECK(bytes(5 << 18) == "1.25 MiB");
  CHECK(bytes(81'160'000) == "77.4 MiB");
  CHECK(bytes(10 << 20) == "10 MiB");
  CHECK(bytes(170'900'000) == "163 MiB");
  CHECK(bytes(std::int64_t{17} << 30) == "17 GiB");
  CHECK(flops(4'100'000'000) == "4.1 GFLOP");
  CHECK(percent(0.254) == "25%");
}

}  // namespace
}  // namespace gradscan
