#include "analyzer/graph/patterns.h"

#include "analyzer/text/globs.h"
#include "gradscan/parse.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using Catch::Matchers::Contains;

namespace {

Capture three_regions() {
  return tests::capture_from_text(R"(
    parameter a.weight a.bias b.weight b.bias c.weight c.bias
    input x
    region layer.0 reentrant x
      x = linear x a
    end x
    region layer.1 reentrant x
      x = linear x b
    end x
    region head reentrant x
      x = linear x c
    end x
    output x
  )");
}

}  // namespace

TEST_CASE("parse_checkpoint_pattern reads a glob and a kind") {
  CHECK(parse_checkpoint_pattern("layer4.*").glob == "layer4.*");
  CHECK(parse_checkpoint_pattern("layer4.*").kind == Kind::reentrant);
  CHECK(parse_checkpoint_pattern("layer4.*=non-reentrant").glob == "layer4.*");
  CHECK(parse_checkpoint_pattern("a=non-reentrant").kind == Kind::non_reentrant);
  CHECK(parse_checkpoint_pattern("a=non_reentrant").kind == Kind::non_reentrant);
  CHECK(parse_checkpoint_pattern("a=off").kind == Kind::off);
  CHECK(parse_checkpoint_pattern("a=reentrant").kind == Kind::reentrant);
}

TEST_CASE("parse_checkpoint_pattern gives the name of a preset the library's kind") {
  CHECK(parse_checkpoint_pattern("timm").glob == "timm");
  CHECK(parse_checkpoint_pattern("timm").kind == Kind::non_reentrant);
  CHECK(parse_checkpoint_pattern("mmcv").kind == Kind::reentrant);
  CHECK(parse_checkpoint_pattern("timm=reentrant").kind == Kind::reentrant);
  CHECK(parse_checkpoint_pattern("mmcv=off").kind == Kind::off);
  CHECK(parse_checkpoint_pattern("timm.*").kind == Kind::reentrant);
}

TEST_CASE("A saved capture takes no preset: it does not name classes") {
  Capture capture = three_regions();
  CHECK_THROWS_WITH(apply_patterns(capture, {parse_checkpoint_pattern("mmcv=off")}),
                    "--checkpoint mmcv: a saved capture does not record the classes of the modules: pass the model itself, or "
                    "name regions");
}

TEST_CASE("parse_checkpoint_pattern says what is wrong") {
  CHECK_THROWS_WITH(parse_checkpoint_pattern("a=on"),
                    "--checkpoint a=on: \"on\" is not a kind of checkpoint: write reentrant, non-reentrant or off");
  CHECK_THROWS_WITH(parse_checkpoint_pattern("=off"), Contains("the pattern is empty"));
  CHECK_THROWS_WITH(parse_checkpoint_pattern(""), Contains("the pattern is empty"));
}

TEST_CASE("parse_input reads name, dtype and shape") {
  Input input = parse_input("x=float32[2,3, 224,224]");
  CHECK(input.name == "x");
  CHECK(input.dtype == "float32");
  CHECK(input.shape == std::vector<std::int64_t>{2, 3, 224, 224});
  CHECK(input.origin == InputOrigin::option);
  CHECK(parse_input("mask=bool[]").shape.empty());
  CHECK(parse_input("empty=int64[0]").shape == std::vector<std::int64_t>{0});
}

TEST_CASE("parse_input says what is wrong") {
  CHECK_THROWS_WITH(parse_input("float32[2]"), Contains("has no name"));
  CHECK_THROWS_WITH(parse_input("=float32[2]"), Contains("has no name"));
  CHECK_THROWS_WITH(parse_input(""), Contains("has no name"));
  CHECK_THROWS_WITH(parse_input("x=float32"), Contains("has no [SHAPE]"));
  CHECK_THROWS_WITH(parse_input("x=float32[2"), Contains("has no [SHAPE]"));
  CHECK_THROWS_WITH(parse_input("x=float32]"), Contains("has no [SHAPE]"));
  CHECK_THROWS_WITH(parse_input("x=float[2]"), Contains("\"float\" is not the name of a dtype"));
  for (const char* shape : {"[2,]", "[,2]", "[2;3]", "[-1]", "[2.5]", "[a]", "[99999999999999999999]", "[[2]]"})
    CHECK_THROWS_WITH(parse_input(std::string("x=float32") + shape), Contains("is not a list of sizes"));
  CHECK_THROWS_WITH(parse_input("x=float32[4000000000,4000000000]"), Contains("too large"));
}

TEST_CASE("A star crosses dots") {
  CHECK(glob_match("layer4.*", "layer4.2.conv1"));
  CHECK(glob_match("*.conv?", "layer4.2.conv1"));
  CHECK(glob_match("layer[34].0", "layer4.0"));
  CHECK_FALSE(glob_match("layer[34].0", "layer5.0"));
  CHECK_FALSE(glob_match("layer4", "layer4.0"));
  CHECK(glob_match("a\\*", "a*"));
  CHECK_FALSE(glob_match("a\\*", "ab"));
}

TEST_CASE("A pattern makes regions of the outermost modules that it matches") {
  std::vector<std::string> paths{"", "blocks", "blocks.1", "blocks.1.fc", "blocks.10", "blocks.10.fc", "head"};
  using Places = std::vector<std::size_t>;
  CHECK(outermost_matches("blocks.*", paths) == Places{2, 4});
  CHECK(outermost_matches("*", paths) == Places{1, 6});
  CHECK(outermost_matches("*.fc", paths) == Places{3, 5});
  CHECK(outermost_matches("tail", paths).empty());
}

TEST_CASE("The last pattern that matches a region gives its kind") {
  Capture capture = three_regions();
  apply_patterns(capture, {{"*", Kind::non_reentrant}, {"layer.*", Kind::reentrant}, {"layer.0", Kind::off}});
  CHECK(capture.regions[0].kind == Kind::off);
  CHECK(capture.regions[1].kind == Kind::reentrant);
  CHECK(capture.regions[2].kind == Kind::non_reentrant);
}

TEST_CASE("A pattern that matches nothing names near matches") {
  Capture capture = three_regions();
  CHECK_THROWS_WITH(apply_patterns(capture, {{"layr.1", Kind::off}}),
                    "--checkpoint layr.1: matches no module or checkpoint region: did you mean layer.1 or layer.0?");
  CHECK_THROWS_WITH(apply_patterns(capture, {{"decoder.*", Kind::off}}), Contains("the model has layer.0, layer.1, head"));
  capture.regions.clear();
  CHECK_THROWS_WITH(apply_patterns(capture, {{"layer.*", Kind::off}}), Contains("the model has none"));
}

TEST_CASE("Near matches of a glob are those of its literal part") {
  Capture capture = three_regions();
  CHECK_THROWS_WITH(apply_patterns(capture, {{"laier.*", Kind::off}}), Contains("did you mean layer.0 or layer.1?"));
  CHECK_THROWS_WITH(apply_patterns(capture, {{"hed*", Kind::off}}), Contains("did you mean head?"));
  for (int i = 0; i < 3; ++i) capture.regions[i].name = "blocks." + std::to_string(i);
  CHECK_THROWS_WITH(apply_patterns(capture, {{"blok.*", Kind::off}}), Contains("did you mean blocks?"));
}

TEST_CASE("A name is a preset's only where the capture has no such region") {
  Capture capture = three_regions();
  capture.regions[2].name = "hf";
  apply_patterns(capture, {parse_checkpoint_pattern("hf=off")});
  CHECK(capture.regions[2].kind == Kind::off);
  CHECK_THROWS_WITH(apply_patterns(capture, {parse_checkpoint_pattern("timm")}), Contains("a saved capture does not record"));
}
