#include "analyzer/text/width.h"

#include "tests/support/catch.h"

namespace gradscan {
namespace {

TEST_CASE("columns are those of a terminal") {
  CHECK(columns("größe …") == 7);
  CHECK(columns("") == 0);
  CHECK(columns("中文") == 4);
  CHECK(columns("e\u0301") == 1);  // a letter and a mark that joins it
  CHECK(columns("\U0001F600") == 2);
}

TEST_CASE("elided keeps the beginning and the end") {
  CHECK(elided("short", 5) == "short");
  CHECK(elided("layer4.2.bn3.weight", 9) == "laye…ight");
  CHECK(elided("üüüüüüüü", 5) == "üü…üü");
  CHECK(elided("中中中中中中", 9) == "中中…中中");
  CHECK(elided("😀😀😀", 6) == "😀😀😀");
}

TEST_CASE("elided never takes more than it may") {
  const std::string text = "a中e\u0301\u0301\u0301😀zz";
  for (std::size_t most = 0; most < 12; ++most) CHECK(columns(elided(text, most)) <= most);
}

TEST_CASE("padded fills up with spaces") {
  CHECK(padded("中", 4) == "中  ");
  CHECK(padded("longer", 4) == "longer");
}

}  // namespace
}  // namespace gradscan
