#include "dot/layout/labels.h"

#include "tests/support/catch.h"

using namespace gradscan;

TEST_CASE("wrap breaks at spaces, by width") {
  const double width = text_width("one two", 12, false);
  CHECK(wrap("one two three", width, 12, false) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("", width, 12, false).empty());
  const auto lines = wrap("averyverylongword", width, 12, false);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("…") != std::string::npos);
  CHECK(text_width(lines[0], 12, false) <= width);
}

TEST_CASE("xml escapes what is markup") {
  CHECK(xml("<a b=\"c\">&</a>") == "&lt;a b=&quot;c&quot;&gt;&amp;&lt;/a&gt;");
}

TEST_CASE("html leaves nothing for Graphviz to replace") {
  CHECK(html("<a href=\"x\">") == "&lt;a href=&quot;x&quot;&gt;");
  CHECK(html("&lt;") == "&amp;\u200Blt;");
  CHECK(html("\\N") == "\\\u200BN");
}

TEST_CASE("text_width is on the wide side") {
  CHECK(text_width("WWWW", 10, false) == Approx(39.6));  // of DejaVu Sans, in which W is wider than in Arial
  CHECK(text_width("1111", 10, false) == Approx(25.6));
  CHECK(text_width("layer", 12, true) > text_width("layer", 12, false));
  CHECK(text_width("üü", 12, false) < text_width("üüü", 12, false));
}
