#include "analyzer/text/foreign_text.h"

#include "tests/support/catch.h"

namespace gradscan {
namespace {

TEST_CASE("printable text does nothing to a terminal") {
  CHECK(printable("layer4.2 … größe") == "layer4.2 … größe");
  CHECK(printable("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\u202e\u200b\ufeff\u0085") == "\\u202e\\u200b\\ufeff\\u0085");
  CHECK(printable("\U000E0041") == "\\U000e0041");
}

TEST_CASE("bytes that are not UTF-8 are shown as bytes") {
  CHECK(printable("a\xff") == "a\\xff");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xe4\xb8") == "\\xe4\\xb8");  // cut short
  CHECK(printable("\xe4\xb8z") == "\\xe4\\xb8z");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("legible keeps text and replaces what is none") {
  CHECK(legible("layer4.2 <ü…中😀>") == "layer4.2 <ü…中😀>");
  CHECK(legible("a\nb\x01\x7f") == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(legible("\xff\xc0\xaf") == "\uFFFD\uFFFD\uFFFD");
  CHECK(legible("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
  CHECK(legible("\xe4\xb8") == "\uFFFD\uFFFD");
  CHECK(legible("a\u202Eb\uFFFE") == "a\uFFFDb\uFFFD");  // turns the direction of text; no character
  CHECK(legible(std::string_view("\0", 1)) == "\uFFFD");
}

}  // namespace
}  // namespace gradscan
