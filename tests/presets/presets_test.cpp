#include "analyzer/presets/presets.h"

#include <sstream>

#include "tests/support/catch.h"

using namespace gradscan;

namespace {

using Calls = std::vector<CheckpointedCall>;

const Calls of_class{{"lib.resnet.Block", ""}};
const Calls of_owner{{"lib.vit.ViT", "blocks.*"}, {"lib.vit.Stage", "first"}};

std::vector<std::string> checkpointed(const Calls& calls, const std::vector<ClassedModule>& modules) {
  std::vector<std::string> paths;
  Preset preset{.name = "lib", .library = "lib 1", .kind = Kind::reentrant, .asked_by = "asking", .remark = "", .calls = calls};
  std::vector<const CheckpointedCall*> found = checkpointed_calls(preset, modules);
  REQUIRE(found.size() == modules.size());
  for (std::size_t at = 0; at < modules.size(); ++at)
    if (found[at]) paths.push_back(modules[at].path);
  return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("A preset finds the modules of a class, by whatever name TorchScript has set it apart") {
  CHECK(checkpointed(of_class, {{"", "__torch__.mine.Net"},
                                {"a", "__torch__.lib.resnet.Block"},
                                {"b", "__torch__.lib.resnet.___torch_mangle_12.Block"},
                                {"c", "__torch__.___torch_mangle_3.lib.resnet.Block"},
                                {"d", "__torch__.lib.resnet.Blocks"},
                                {"e", "__torch__.other.lib.resnet.Block"},
                                {"f", ""}}) == Paths{"a", "b", "c"});
}

TEST_CASE("A preset finds a module of a class inside of another") {
  CHECK(checkpointed(of_class, {{"", "__torch__.lib.resnet.Block"}, {"a.b", "__torch__.lib.resnet.Block"}}) ==
        Paths{"", "a.b"});
}

TEST_CASE("A preset finds modules by their path from one of a class") {
  CHECK(checkpointed(of_owner, {{"", "__torch__.mine.Net"},
                                {"trunk", "__torch__.lib.vit.___torch_mangle_1.ViT"},
                                {"trunk.blocks", "__torch__.torch.nn.modules.container.Sequential"},
                                {"trunk.blocks.0", "__torch__.x.Y"},
                                {"trunk.blocks.0.fc1", "__torch__.x.Z"},
                                {"trunk.blocks.12", "__torch__.lib.vit.Stage"},
                                {"trunk.blocks.12.first", "__torch__.x.Z"},
                                {"blocks.0", "__torch__.x.Y"}}) ==
        Paths{"trunk.blocks.0", "trunk.blocks.12", "trunk.blocks.12.first"});
  CHECK(checkpointed(of_owner, {{"", "__torch__.lib.vit.ViT"}, {"blocks.0", "__torch__.x.Y"}}) == Paths{"blocks.0"});
}

TEST_CASE("An error of a preset says what the model has instead") {
  const Preset& preset = *preset_named("timm");
  CHECK(std::string(no_checkpointed_call(preset, {{"", "__torch__.a.___torch_mangle_1.B"},
                                                  {"x", "__torch__.torch.nn.modules.linear.Linear"},
                                                  {"y", "__torch__.c.D"},
                                                  {"z", "__torch__.a.B"}})
                        .what()) ==
        "--checkpoint timm: no module is of a class that timm checkpoints (see --list-presets): name modules by their paths; "
        "the "
        "model's classes are a.B, c.D");
  CHECK_THAT(no_checkpointed_call(preset, {{"", "a.A"}, {"b", "a.B"}, {"c", "a.C"}, {"d", "a.D"}}).what(),
             Catch::Matchers::EndsWith("are a.A, a.B, a.C, ..."));
  CHECK(no_checkpointed_call(preset, {}).failure() == Failure::usage);
}

TEST_CASE("Presets are named") {
  for (const char* name : {"hf", "mmcv", "timm", "torchvision"}) {
    REQUIRE(preset_named(name));
    CHECK(preset_named(name)->name == name);
    CHECK_FALSE(preset_named(name)->calls.empty());
  }
  CHECK_FALSE(preset_named("layer4.*"));
  CHECK_FALSE(preset_named(""));
}

TEST_CASE("Presets nest as their libraries do, and know what is checkpointed only for gradients") {
  auto of = [](const char* preset, const std::vector<ClassedModule>& modules) {
    return checkpointed(preset_named(preset)->calls, modules);
  };
  CHECK(of("timm", {{"", "__torch__.timm.models.metaformer.MetaFormer"},
                    {"stages.0", "__torch__.timm.models.metaformer.MetaFormerStage"},
                    {"stages.0.blocks.1", "__torch__.timm.models.metaformer.MetaFormerBlock"},
                    {"stages.0.blocks.1.mlp", "__torch__.timm.layers.mlp.Mlp"}}) == Paths{"stages.0", "stages.0.blocks.1"});
  CHECK(of("hf", {{"", "__torch__.transformers.models.bert.modeling_bert.BertModel"},
                  {"encoder", "__torch__.transformers.models.bert.modeling_bert.BertEncoder"},
                  {"encoder.layer.0", "__torch__.transformers.models.bert.modeling_bert.___torch_mangle_7.BertLayer"}}) ==
        Paths{"encoder.layer.0"});
  std::vector<ClassedModule> block{{"layer1.0", "__torch__.mmcv.cnn.resnet.Bottleneck"}};
  CHECK(checkpointed_calls(*preset_named("mmcv"), block).front()->only_for_grad);
}

TEST_CASE("presets_in_words names every call in lines of at most 100 columns") {
  std::istringstream text(presets_in_words());
  std::string line, all;
  while (std::getline(text, line)) {
    CHECK(line.size() <= 100);
    CHECK_FALSE(line.ends_with(' '));
    all += line + '\n';
  }
  for (const Preset& preset : presets()) {
    CHECK(all.find('\n' + preset.name + ' ') != std::string::npos);
    for (const CheckpointedCall& call : preset.calls) {
      std::string name(call.owner.substr(call.owner.rfind('.') + 1));
      if (!call.path.empty()) name.append(".").append(call.path);
      INFO(name);
      CHECK(all.find(' ' + name) != std::string::npos);
    }
  }
}
