// What scripts/presets.py found in the libraries; see presets.h.
#pragma once

#include <span>
#include <string_view>

#include "analyzer/presets/presets.h"

namespace gradscan {

extern const std::string_view mmcv_version, timm_version, torchvision_version, transformers_version;
extern const std::span<const CheckpointedCall> mmcv_calls, timm_calls, torchvision_calls, transformers_calls;

}  // namespace gradscan
