#include "analyzer/presets/presets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <unordered_map>

#include "analyzer/presets/preset_file.h"
#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

constexpr std::string_view torch_prefix = "__torch__.";
constexpr std::string_view mangle_prefix = "___torch_mangle_";  // by which TorchScript tells classes of the same name apart

// "__torch__.a.___torch_mangle_12.B" is "a.B".
std::string plain_name(std::string_view class_name) {
  if (class_name.starts_with(torch_prefix)) class_name.remove_prefix(torch_prefix.size());
  std::string plain;
  while (!class_name.empty()) {
    std::string_view part = class_name.substr(0, class_name.find('.'));
    class_name.remove_prefix(std::min(part.size() + 1, class_name.size()));
    if (!part.starts_with(mangle_prefix)) plain.append(plain.empty() ? "" : ".").append(part);
  }
  return plain;
}

using CallsOf = std::unordered_map<std::string_view, std::vector<const CheckpointedCall*>>;  // by owner

CallsOf calls_by_owner(const Preset& preset) {
  CallsOf calls;
  for (const CheckpointedCall& call : preset.calls) calls[call.owner].push_back(&call);
  return calls;
}

// `below`: the path from the owner. A '*' stands for a single name, without dots.
bool leads_to(const CheckpointedCall& call, std::string below) {
  std::string path = call.path;
  std::replace(path.begin(), path.end(), '.', '/');
  std::replace(below.begin(), below.end(), '.', '/');
  return fnmatch(path.c_str(), below.c_str(), FNM_PATHNAME) == 0;
}

// The module itself and those around it, innermost first: "a.b", "a", "".
std::vector<std::string> owners_of(std::string path) {
  std::vector<std::string> owners{path};
  while (!path.empty()) {
    path.erase(path.find('.') == std::string::npos ? 0 : path.rfind('.'));
    owners.push_back(path);
  }
  return owners;
}

std::string below(const std::string& owner, const std::string& path) {
  return path.substr(owner.empty() || owner == path ? owner.size() : owner.size() + 1);
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const PresetFile& file : preset_files) names.emplace_back(file.name);
  return names;
}

// Read on first use.
std::span<const Preset> presets() {
  static const std::vector<Preset> all = [] {
    std::vector<Preset> read;
    for (const PresetFile& file : preset_files) read.push_back(parse_preset(file));
    return read;
  }();
  return all;
}

const Preset* preset_named(std::string_view name) {
  for (std::size_t at = 0; at < preset_files.size(); ++at)
    if (preset_files[at].name == name) return &presets()[at];
  return nullptr;
}

std::vector<const CheckpointedCall*> checkpointed_calls(const Preset& preset, const std::vector<ClassedModule>& modules) {
  CallsOf calls = calls_by_owner(preset);
  std::unordered_map<std::string, std::string> classes;
  for (const ClassedModule& module : modules) classes.emplace(module.path, plain_name(module.class_name));

  auto call_of = [&](const std::string& path) -> const CheckpointedCall* {
    for (const std::string& owner : owners_of(path)) {
      auto found = calls.find(classes[owner]);
      if (found == calls.end()) continue;
      for (const CheckpointedCall* call : found->second)
        if (leads_to(*call, below(owner, path))) return call;
    }
    return nullptr;
  };
  std::vector<const CheckpointedCall*> result;
  for (const ClassedModule& module : modules) result.push_back(call_of(module.path));
  return result;
}

namespace {

Error unusable(const Preset& preset, const std::string& problem, const std::string& remedy) {
  return Error(Failure::usage, "--checkpoint " + preset.name, problem, remedy);
}

// The first few that are not torch's own.
std::string classes_in_words(const std::vector<ClassedModule>& modules) {
  std::vector<std::string> names;
  for (const ClassedModule& module : modules) {
    std::string name = plain_name(module.class_name);
    if (name.empty() || name.starts_with("torch.") || std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
  }
  return names.empty() ? "none but torch's own" : first_three(names);
}

}  // namespace

Error has_own_regions(const Preset& preset) {
  return unusable(preset, "the model has checkpoint regions of its own",
                  "name them, or export the model with its checkpointing off");
}

Error has_no_classes(const Preset& preset) {
  return unusable(preset, "a saved capture does not record the classes of the modules",
                  "pass the model itself, or name regions");
}

Error no_checkpointed_call(const Preset& preset, const std::vector<ClassedModule>& modules) {
  return unusable(preset, fmt::format("no module is of a class that {} checkpoints (see --list-presets)", preset.name),
                  "name modules by their paths; the model's classes are " + classes_in_words(modules));
}

namespace {

constexpr int columns = 100;

std::string_view module_of(std::string_view class_name) {
  return class_name.substr(0, class_name.rfind('.'));
}

// "transformers.models.bart.modeling_bart: BartDecoderLayer BartEncoderLayer", "timm.models.volo: VOLO.network.*.*"
std::string calls_in_words(std::span<const CheckpointedCall> calls) {
  std::string text;
  for (std::size_t at = 0; at < calls.size();) {
    std::string module(module_of(calls[at].owner));
    std::vector<std::string> names;
    for (; at < calls.size() && module_of(calls[at].owner) == module; ++at) {
      names.push_back(calls[at].owner.substr(module.size() + 1));
      if (!calls[at].path.empty()) names.back().append(".").append(calls[at].path);
    }
    text += wrap(fmt::format("{}: {}", module, fmt::join(names, " ")), columns, "    ", "        ");
  }
  return text;
}

std::string in_words(const Preset& preset) {
  const char* kind = preset.kind == Kind::reentrant ? "reentrant" : "non-reentrant";
  std::string head = fmt::format("{:<12} ", preset.name);
  return wrap(fmt::format("{}, {}, {}", preset.library, preset.asked_by, kind), columns, head, "    ") +
         wrap(preset.remark, columns, "    ", "    ") + calls_in_words(preset.calls);
}

}  // namespace

std::string presets_in_words() {
  std::string text =
      "Where libraries checkpoint when their checkpointing is on, for --checkpoint NAME or NAME=KIND.\n"
      "Block: the calls of all modules of this class. Stage.blocks.*: the calls that a module of the\n"
      "class Stage makes of blocks.0, blocks.1, ... below it.\n";
  for (const Preset& preset : presets()) text += '\n' + in_words(preset);
  return text;
}

}  // namespace gradscan
