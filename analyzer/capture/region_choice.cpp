#include "analyzer/capture/region_choice.h"

#include <algorithm>

#include "analyzer/graph/patterns.h"
#include "analyzer/presets/presets.h"
#include "analyzer/text/globs.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

std::vector<ClassedModule> classed(const std::vector<NamedModule>& modules) {
  std::vector<ClassedModule> result;
  for (const NamedModule& named : modules) {
    auto name = named.module.type()->name();
    result.push_back({named.path, name ? name->qualifiedName() : ""});
  }
  return result;
}

class RegionChoice {
 public:
  RegionChoice(const Model& model, const NamedRegions& named_by_file) : model_(model), regions_(named_by_file.names) {
    for (const NamedModule& named : model.modules) {
      // A container such as ModuleList has no forward and is never called.
      paths_.push_back(named.module.find_method("forward") ? named.path : "");
      modules_.push_back({.path = named.path});
      if (named_by_file.by_markers || !is_checkpoint_wrapper(named.module)) continue;
      modules_.back().region = {
          .label = named.path, .name = named.path, .kind = Kind::non_reentrant, .origin = RegionOrigin::wrapper};
      regions_.insert(named.path);
    }
  }

  void apply(const CheckpointPattern& pattern) {
    if (const Preset* preset = preset_named(pattern.glob); preset != nullptr && !regions_.contains(pattern.glob))
      return apply(*preset, pattern.kind);
    auto matches = [&](const std::string& name) { return glob_match(pattern.glob, name); };
    if (std::none_of(regions_.begin(), regions_.end(), matches)) make_regions(pattern);
    for (RecordedModule& module : modules_)
      if (module.region && matches(module.path)) module.region->kind = pattern.kind;
  }

  void add_every_module() {
    for (std::size_t k = 0; k < modules_.size(); ++k)
      if (!paths_[k].empty() && !modules_[k].region)
        modules_[k].region = {.label = paths_[k], .name = paths_[k], .kind = Kind::off, .origin = RegionOrigin::module};
  }

  Recorder::Modules result() {
    Recorder::Modules result;
    for (std::size_t k = 0; k < modules_.size(); ++k) {
      const torch::jit::Module& module = model_.modules[k].module;
      auto& region = modules_[k].region;
      if (region && region->kind == Kind::off && region->origin == RegionOrigin::pattern) region.reset();
      if (region) modules_[k].own = tensors_of(module);
      result.emplace(module._ivalue().get(), std::move(modules_[k]));
    }
    return result;
  }

 private:
  void apply(const Preset& preset, Kind kind) {
    std::vector<ClassedModule> modules = classed(model_.modules);
    std::vector<const CheckpointedCall*> calls = checkpointed_calls(preset, modules);
    bool found = false;
    for (std::size_t k = 0; k < modules_.size(); ++k) {
      if (!calls[k] || paths_[k].empty()) continue;
      if (!regions_.empty()) throw has_own_regions(preset);
      modules_[k].region = {.label = paths_[k], .name = paths_[k], .kind = kind, .origin = RegionOrigin::pattern};
      modules_[k].only_for_grad = calls[k]->only_for_grad;
      found = true;
    }
    if (!found) throw no_checkpointed_call(preset, modules);
  }

  void make_regions(const CheckpointPattern& pattern) {
    std::vector<std::size_t> outermost = outermost_matches(pattern.glob, paths_);
    if (outermost.empty()) throw no_match(pattern, names());
    for (std::size_t k : outermost)
      if (!modules_[k].region) modules_[k].region = {.label = paths_[k], .name = paths_[k], .origin = RegionOrigin::pattern};
  }

  std::vector<std::string> names() const {
    std::set<std::string> names = regions_;
    names.insert(paths_.begin(), paths_.end());
    names.erase("");
    return {names.begin(), names.end()};
  }

  static std::unordered_set<const at::TensorImpl*> tensors_of(const torch::jit::Module& module) {
    std::unordered_set<const at::TensorImpl*> tensors;
    for (const at::Tensor& parameter : module.parameters()) tensors.insert(parameter.unsafeGetTensorImpl());
    for (const at::Tensor& buffer : module.buffers()) tensors.insert(buffer.unsafeGetTensorImpl());
    return tensors;
  }

  const Model& model_;
  std::set<std::string> regions_;  // names of the file's own regions
  std::vector<std::string> paths_;
  std::vector<RecordedModule> modules_;  // parallel to model.modules
};

}  // namespace

Recorder::Modules choose_regions(const Model& model, const NamedRegions& named_by_file,
                                 const std::vector<CheckpointPattern>& patterns, bool every_module) {
  RegionChoice choice(model, named_by_file);
  for (const CheckpointPattern& pattern : patterns) choice.apply(pattern);
  if (every_module) choice.add_every_module();
  return choice.result();
}

}  // namespace gradscan
