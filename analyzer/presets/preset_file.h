// A preset as data: hf.toml, mmcv.toml, ..., which are compiled in. To add a preset, add a file.
//
//     library = "timm 1.0.31"                    # with the version examined
//     kind = "non-reentrant"                     # of the library's regions, unless --checkpoint says otherwise
//     asked_by = "model.set_grad_checkpointing()"
//     remark = "..."                             # how the library's regions differ from these calls
//     calls = [
//       {module = "timm.models.beit", of = ["Beit.blocks.*"]},
//     ]
//
// `of` names classes of the module, each of whose calls is a region, or modules that a module of the class calls below it. Two
// more keys are optional: only_for_grad = true, and outside = [...], the modules that the call runs outside the library's
// region.
#pragma once

#include <span>
#include <string_view>

#include "analyzer/presets/presets.h"

namespace gradscan {

struct PresetFile {
  std::string_view name, toml;
};

// In the order of their names.
extern const std::span<const PresetFile> preset_files;

// Throws std::runtime_error if a key is missing, unknown or has a value that makes no sense.
Preset parse_preset(const PresetFile& file);

}  // namespace gradscan
