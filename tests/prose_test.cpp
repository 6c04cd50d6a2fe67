#include "analyzer/report/prose.h"

#include "tests/catch.h"

namespace gradscan {
namespace {

TEST_CASE("printable text does nothing to a terminal") {
  CHECK(printable("layer4.2 … größe") == "layer4.2 … größe");
  CHECK(printable("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\u202e\u200b\ufeff\u0085") == "\\u202e\\u200b\\ufeff\\u0085");
}

TEST_CASE("bytes that are not UTF-8 are shown as bytes") {
  CHECK(printable("a\xff") == "a\\xff");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

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
  CHECK(bytes(1536) == "1.5 KiB");
  CHECK(bytes(std::int64_t{17} << 30) == "17 GiB");
  CHECK(flops(4'100'000'000) == "4.1 GFLOP");
}

}  // namespace
}  // namespace gradscan
