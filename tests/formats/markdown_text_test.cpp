#include "analyzer/formats/markdown_text.h"

#include "tests/support/catch.h"

namespace gradscan {
namespace {

TEST_CASE("a code span shows its text, whatever it is") {
  CHECK(code_span("layer4.2.bn3.weight") == "`layer4.2.bn3.weight`");
  CHECK(code_span("a`b``c") == "```a`b``c```");
  CHECK(code_span("`a`") == "`` `a` ``");
  CHECK(code_span(" a") == "`  a `");
  CHECK(code_span("a|b") == "`a|b`");
  CHECK(code_span("a|b", true) == "`a\\|b`");
  CHECK(code_span("") == "(no name)");
  CHECK(code_span("  ") == "(no name)");
  CHECK(code_span("a\nb\x1b") == "`a\ufffdb\ufffd`");
  CHECK(code_span(std::string(1000, 'x')) == "`" + std::string(160, 'x') + "…`");
}

TEST_CASE("only words of letters, or of digits, are outside code") {
  CHECK(markdown_prose("l2.weight (index 2) and 156 parameters are DDP's, e.g. in non-reentrant regions.") ==
        "`l2.weight` (index 2) and 156 parameters are DDP's, `e.g`. in non-reentrant regions.");
  CHECK(markdown_prose("checkpoint(..., use_reentrant=False): it (and more) helps") ==
        "`checkpoint(..., use_reentrant=False)`: it (and more) helps");
  CHECK(markdown_prose("@team #12 GH-12 a/b#3 www.x.org http://x <b> **x** | 50 % 50%") ==
        "`@team` `#12` `GH-12` `a/b#3` `www.x.org` `http://x` `<b>` `**x**` `|` 50 % 50%");
  CHECK(markdown_prose("(@team)") == "(`@team`)");
  CHECK(markdown_prose("--- - x") == "`---` `-` x");
  CHECK(markdown_prose("0123456789abcdef0123456789abcdef01234567") == "`0123456789abcdef0123456789abcdef01234567`");
}

TEST_CASE("a fence is longer than those inside") {
  CHECK(fenced("a\nb", "text") == "```text\na\nb\n```\n");
  CHECK(fenced("````\n", "") == "`````\n````\n`````\n");
}

}  // namespace
}  // namespace gradscan
