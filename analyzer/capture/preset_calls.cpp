// Made by scripts/presets.py.
#include "analyzer/capture/preset_calls.h"

namespace gradscan {
namespace {

constexpr CheckpointedCall mmcv[] = {
    {"mmcv.cnn.resnet.Bottleneck", ""},
};

constexpr CheckpointedCall timm[] = {
    {"timm.models.vision_transformer.VisionTransformer", "blocks.*"},
};

constexpr CheckpointedCall torchvision[] = {
    {"torchvision.models.densenet._DenseLayer", ""},
};

constexpr CheckpointedCall transformers[] = {
    {"transformers.models.bert.modeling_bert.BertLayer", ""},
};

}  // namespace

const std::string_view mmcv_version = "mmcv 2.2.0";
const std::string_view timm_version = "timm 1.0.31";
const std::string_view torchvision_version = "torchvision 0.28.0";
const std::string_view transformers_version = "transformers 5.23.0";

const std::span<const CheckpointedCall> mmcv_calls = mmcv;
const std::span<const CheckpointedCall> timm_calls = timm;
const std::span<const CheckpointedCall> torchvision_calls = torchvision;
const std::span<const CheckpointedCall> transformers_calls = transformers;

}  // namespace gradscan
