#include "dot/labels.h"

#include "tests/catch.h"

using namespace gradscan;

TEST_CASE("elide keeps the beginning and the end") {
  CHECK(elide("short", 5) == "short");
  CHECK(elide("layer4.2.bn3.weight", 9) == "laye…ight");
  CHECK(elide("üüüüüüüü", 5) == "üü…üü");
}

TEST_CASE("wrap breaks at spaces") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("", 7).empty());
  CHECK(wrap("averyverylongword", 7) == std::vector<std::string>{"ave…ord"});
}

TEST_CASE("html leaves nothing for Graphviz to replace") {
  CHECK(html("<a href=\"x\">") == "&lt;a href=&quot;x&quot;&gt;");
  CHECK(html("&lt;") == "&amp;\u200Blt;");
  CHECK(html("\\N") == "\\\u200BN");
}

TEST_CASE("text_width is on the wide side") {
  CHECK(text_width("layer4.2.bn3.weight", 12, false) > 100);
  CHECK(text_width("layer", 12, true) > text_width("layer", 12, false));
  CHECK(text_width("üü", 12, false) < text_width("üüü", 12, false));
}
