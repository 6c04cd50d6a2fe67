// Presets in files that Python's torch has written (tests/models/make_models.py): classes of libraries by name.
#include <string>
#include <vector>

#include "gradscan/gradscan.h"
#include "tests/support/catch.h"

using namespace gradscan;

namespace {

// "name kind" of each.
std::vector<std::string> regions(const std::string& model, const std::vector<std::string>& patterns) {
  CaptureOptions options;
  for (const std::string& pattern : patterns) options.checkpoint.push_back(parse_checkpoint_pattern(pattern));
  Capture capture = capture_file(std::string(GRADSCAN_MODELS) + "/" + model + ".pt", options);
  std::vector<std::string> regions;
  for (const Region& region : capture.regions) regions.push_back(region.name + " " + std::string(to_string(region.kind)));
  return regions;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("A preset makes regions of what its library checkpoints, of the library's kind or another") {
  CHECK(regions("of_libraries", {"timm"}) == Names{"trunk.blocks.0 non_reentrant", "trunk.blocks.1 non_reentrant"});
  CHECK(regions("of_libraries", {"timm=reentrant"}) == Names{"trunk.blocks.0 reentrant", "trunk.blocks.1 reentrant"});
  CHECK(regions("of_libraries", {"timm=off"}).empty());
}

TEST_CASE("A call that its library checkpoints only where something requires grad is no region elsewhere") {
  CHECK(regions("of_libraries", {"mmcv"}) == Names{"second reentrant"});
  CHECK(regions("of_libraries", {"first"}) == Names{"first reentrant"});
}

TEST_CASE("Presets and patterns go together, later ones win") {
  CHECK(regions("of_libraries", {"timm", "mmcv"}) ==
        Names{"second reentrant", "trunk.blocks.0 non_reentrant", "trunk.blocks.1 non_reentrant"});
  CHECK(regions("of_libraries", {"timm", "trunk.blocks.0=off"}) == Names{"trunk.blocks.1 non_reentrant"});
  CHECK(regions("of_libraries", {"trunk.blocks.0=off", "timm"}) ==
        Names{"trunk.blocks.0 non_reentrant", "trunk.blocks.1 non_reentrant"});
}

TEST_CASE("A preset of another library, or for a model with regions of its own, is an error") {
  CHECK_THROWS_WITH(regions("of_libraries", {"hf"}),
                    "--checkpoint hf: no module is of a class that hf checkpoints (see --list-presets): name modules by their "
                    "paths; the model's classes are OfLibraries, mmcv.cnn.resnet.Bottleneck, Block, ...");
  CHECK_THROWS_WITH(regions("of_libraries_marked", {"timm"}),
                    "--checkpoint timm: the model has checkpoint regions of its own: name them, or export the model with its "
                    "checkpointing off");
}
