#include "analyzer/presets/preset_file.h"

#include "tests/support/catch.h"

using namespace gradscan;
using Catch::Matchers::Contains;

namespace {

const std::string head = "library = 'lib 1'\nkind = 'reentrant'\nasked_by = 'ask'\nremark = 'none'\n";

Preset parsed(const std::string& toml) {
  return parse_preset({.name = "lib", .toml = toml});
}

}  // namespace

TEST_CASE("A preset is read, its calls in the order of their names and each once") {
  Preset preset = parsed(head + R"(calls = [
    {module = "lib.vit", of = ["ViT.blocks.*", "Stem"], only_for_grad = true, outside = ["relu"]},
    {module = "lib.resnet", of = ["Block"]},
    {module = "lib.resnet", of = ["Block"], outside = ["relu"]},
  ])");
  CHECK(preset.name == "lib");
  CHECK(preset.library == "lib 1");
  CHECK(preset.kind == Kind::reentrant);
  REQUIRE(preset.calls.size() == 3);
  CHECK(preset.calls[0].owner == "lib.resnet.Block");
  CHECK(preset.calls[0].path.empty());
  CHECK_FALSE(preset.calls[0].only_for_grad);
  CHECK(preset.calls[1].owner == "lib.vit.Stem");
  CHECK(preset.calls[2].owner == "lib.vit.ViT");
  CHECK(preset.calls[2].path == "blocks.*");
  CHECK(preset.calls[2].only_for_grad);
}

TEST_CASE("What is wrong in a preset is an error") {
  for (const char* calls : {"", "calls = 1", "calls = ['a']", "calls = [{module = 'a'}]", "calls = [{of = ['A']}]",
                            "calls = [{module = 'a', of = 'A'}]", "calls = [{module = 'a', of = [1]}]",
                            "calls = [{module = 'a', of = ['A'], outsides = ['b']}]", "calls = []\nremarks = 'x'",
                            "calls = [{module = 'a', of = ['A'], only_for_grad = 1}]"}) {
    INFO(calls);
    CHECK_THROWS_WITH(parsed(head + calls), Contains("preset lib: "));
  }
  CHECK_THROWS_WITH(parsed("library = 'lib 1'\nkind = 'both'"), Contains("kind is missing, unknown or wrong"));
  CHECK_THROWS_WITH(parsed(head + "calls = []\nremarks = 'x'"), Contains("remarks is"));
  CHECK_THROWS(parsed("library"));
}

TEST_CASE("Every preset that is compiled in is right") {
  REQUIRE(preset_files.size() >= 4);
  for (const PresetFile& file : preset_files) {
    INFO(file.name);
    CHECK_FALSE(parse_preset(file).calls.empty());
  }
}
