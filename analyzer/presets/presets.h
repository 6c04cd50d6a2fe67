// Presets: where a library checkpoints when its checkpointing is on, by class names, which a TorchScript file keeps.
//
//     gradscan model.pt --checkpoint timm        // as model.set_grad_checkpointing() would
//
// A preset is a list of calls: the calls of the modules of a class ("mmcv.cnn.resnet.Bottleneck"), or those that a module of a
// class makes of modules below it ("timm.models.resnet.ResNet: layer1.*"; '*' does not cross dots). Each is one checkpoint
// region; a call inside another is nested, as in the library. The lists come from the libraries themselves, see preset_file.h
// and python/real_models/presets.py.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/error.h"

namespace gradscan {

struct CheckpointedCall {
  std::string owner;           // qualified name of a class
  std::string path{};          // from the owner to the called module, with a glob between dots; empty: the owner itself
  bool only_for_grad = false;  // a call is not checkpointed if none of its tensors requires grad
};

struct Preset {
  std::string name;     // for --checkpoint
  std::string library;  // with the version examined
  Kind kind;            // of the library's regions by default
  std::string asked_by;
  std::string remark;  // how its regions differ from these calls
  std::vector<CheckpointedCall> calls;
};

// In the order of their names.
std::vector<std::string> preset_names();
std::span<const Preset> presets();

// nullptr if there is none of this name.
const Preset* preset_named(std::string_view name);

struct ClassedModule {
  std::string path;        // "layer4.0"; the root's is empty
  std::string class_name;  // as TorchScript has it: "__torch__.mmcv.cnn.resnet.___torch_mangle_3.Bottleneck"
};

// For each module, the call that the library checkpoints; nullptr if it checkpoints none.
std::vector<const CheckpointedCall*> checkpointed_calls(const Preset& preset, const std::vector<ClassedModule>& modules);

// What to throw if a preset cannot be applied. Class names are in a model file, not in a saved capture.
Error has_own_regions(const Preset& preset);
Error has_no_classes(const Preset& preset);
Error no_checkpointed_call(const Preset& preset, const std::vector<ClassedModule>& modules);

// For --list-presets.
std::string presets_in_words();

}  // namespace gradscan
