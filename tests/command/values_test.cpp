#include "analyzer/command/values.h"

#include "tests/support/catch.h"

using namespace gradscan;
using Catch::Matchers::Contains;

TEST_CASE("Sizes of memory") {
  auto size = [](const std::string& text) { return memory_size("--budget", text); };
  CHECK(size("8GiB") == 8LL << 30);
  CHECK(size("1.5 MiB") == 3 << 19);
  CHECK(size("2GB") == 2'000'000'000);
  CHECK(size("1B") == 1);
  for (const char* wrong : {"", "8", "GiB", "0GiB", "-1GiB", "8 gigabytes", "nanGiB", "1e30TiB", "8GiBs"}) {
    INFO(wrong);
    CHECK_THROWS_WITH(size(wrong), Contains("is not a size of memory: write a number and its unit, for example 8GiB"));
  }
}

TEST_CASE("A replacement has something to be replaced") {
  CHECK(replacement("--path-map", "/a=/b=c") == std::pair<std::string, std::string>("/a", "/b=c"));
  CHECK(replacement("--path-map", "/a=").second.empty());
  CHECK_THROWS_WITH(replacement("--path-map", "=b"), Contains("is not OLD=NEW"));
  CHECK_THROWS_WITH(replacement("--path-map", "ab"), Contains("is not OLD=NEW"));
}
