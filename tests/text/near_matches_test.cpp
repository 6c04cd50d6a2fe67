#include "analyzer/text/near_matches.h"

#include <ctime>

#include "tests/support/catch.h"

using namespace gradscan;
using Names = std::vector<std::string>;

TEST_CASE("Near matches are ordered by distance, then as the candidates are") {
  Names names{"layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1", "layer1.0.bn1", "fc"};
  CHECK(near_matches("layer1.0.conv", names) == Names{"layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1"});
  CHECK(near_matches("layer1.0.conv", names, 1) == Names{"layer1.0.conv1"});
}

TEST_CASE("A name without its prefix is near") {
  CHECK(near_matches("conv1", {"backbone.stem.convolution", "backbone.stem.conv1"}) == Names{"backbone.stem.conv1"});
}

TEST_CASE("A name is not listed twice, although several regions may have it") {
  CHECK(near_matches("blok", {"block", "block", "block"}) == Names{"block"});
}

TEST_CASE("What is far is not near") {
  CHECK(near_matches("decoder", {"layer1", "fc"}).empty());
  CHECK(near_matches("a", {"b", "c"}).empty());
  CHECK(near_matches("", {"ab", "c", ""}).empty());
  CHECK(near_matches("x", {}).empty());
}

TEST_CASE("did_you_mean is a sentence") {
  CHECK(did_you_mean("fcc", {"layer"}).empty());
  CHECK(did_you_mean("fcc", {"fc"}) == "did you mean fc?");
  CHECK(did_you_mean("block", {"block1", "block2", "block3"}) == "did you mean block1, block2 or block3?");
}

TEST_CASE("Twenty thousand names take no noticeable time") {
  Names names;
  for (int i = 0; i < 20'000; ++i) names.push_back(std::to_string(i) + std::string(100, static_cast<char>('a' + i % 26)));
  std::clock_t start = std::clock();
  near_matches(std::string(100, 'b') + "x", names);
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 3);
}
