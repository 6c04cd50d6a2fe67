#include "analyzer/report/stages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "analyzer/base/sort_unique.h"

namespace gradscan {
namespace {

constexpr std::size_t names_in_label = 3;

std::size_t depth(const std::string& module) {
  return 1 + std::count(module.begin(), module.end(), '.');
}

// The first `levels` components of a module path.
std::string parent_at(const std::string& module, std::size_t levels) {
  std::size_t end = 0;
  for (; levels > 0 && end != std::string::npos; --levels) end = module.find('.', end == 0 ? 0 : end + 1);
  return module.substr(0, end);
}

void drop_repetitions(std::vector<std::string>& names) {
  std::unordered_set<std::string> seen;
  std::erase_if(names, [&](const std::string& name) { return !seen.insert(name).second; });
}

bool is_boundary_or_operation(const Node& node) {
  return node.role != Role::parameter && node.role != Role::leaf;
}

class Contraction {
 public:
  Contraction(const Capture& capture, const GradGraph& graph, const std::vector<int>& ddp_index)
      : capture_(capture), graph_(graph), ddp_index_(ddp_index), stage_of_(capture.nodes.size(), none) {}

  std::vector<Stage> run() {
    assign_stages();
    std::vector<std::vector<std::string>> modules(stages_.size());
    for (std::size_t id = 0; id < capture_.nodes.size(); ++id)
      if (stage_of_[id] != none) record(static_cast<int>(id), modules[stage_of_[id]]);
    for (std::size_t stage = 0; stage < stages_.size(); ++stage) finish(stages_[stage], std::move(modules[stage]));
    connect();
    return std::move(stages_);
  }

 private:
  // Numbers the stages in backward order: from the newest node to the oldest.
  void assign_stages() {
    std::vector<int> region_of = innermost_regions(capture_), outermost;
    for (const Region& region : capture_.regions)  // parents precede children
      outermost.push_back(region.parent == none ? static_cast<int>(outermost.size()) : outermost[region.parent]);
    for (int& region : region_of)
      if (region != none) region = outermost[region];
    int current = none - 1;  // neither a region nor the outer graph
    for (std::size_t id = capture_.nodes.size(); id-- > 0;) {
      if (!is_boundary_or_operation(capture_.nodes[id])) continue;
      if (region_of[id] != current) {
        current = region_of[id];
        stages_.emplace_back().region = current;
      }
      stage_of_[id] = static_cast<int>(stages_.size()) - 1;
    }
  }

  void record(int id, std::vector<std::string>& modules) {
    const Node& node = capture_.nodes[id];
    Stage& stage = stages_[stage_of_[id]];
    for (GradEdge edge : node.next) {
      if (edge.node == none || capture_.nodes[edge.node].role != Role::parameter) continue;
      int index = ddp_index_[capture_.nodes[edge.node].parameter];
      if (index == none) continue;
      stage.parameters.push_back(index);
      const std::string& name = capture_.parameters[capture_.nodes[edge.node].parameter].name;
      if (node.module.empty() && name.find('.') != std::string::npos) modules.push_back(name.substr(0, name.rfind('.')));
    }
    if (!node.module.empty()) modules.push_back(node.module);
  }

  void finish(Stage& stage, std::vector<std::string> modules) const {
    sort_unique(stage.parameters);
    stage.label = stage.region == none ? module_label(std::move(modules)) : capture_.regions[stage.region].name;
  }

  // The nodes of a stage are contiguous, so one entry per target suffices to add each pair of stages once.
  void connect() {
    std::vector<int> last_source(stages_.size(), none);
    for (std::size_t id = capture_.nodes.size(); id-- > 0;) {
      int source = stage_of_[id];
      if (source == none) continue;
      for (auto [edge, end] = boost::out_edges(static_cast<std::uint32_t>(id), graph_.edges()); edge != end; ++edge) {
        int target = stage_of_[boost::target(*edge, graph_.edges())];
        if (target == none || target == source || last_source[target] == source) continue;
        last_source[target] = source;
        stages_[source].next.push_back(target);
      }
    }
    for (Stage& stage : stages_) std::sort(stage.next.begin(), stage.next.end());
  }

  const Capture& capture_;
  const GradGraph& graph_;
  const std::vector<int>& ddp_index_;
  std::vector<int> stage_of_;
  std::vector<Stage> stages_;
};

}  // namespace

std::string module_label(std::vector<std::string> modules) {
  drop_repetitions(modules);
  if (modules.empty()) return "forward";
  std::size_t levels = 0;
  for (const std::string& module : modules) levels = std::max(levels, depth(module));
  for (--levels; modules.size() > names_in_label && levels > 0; --levels) {
    for (std::string& module : modules) module = parent_at(module, levels);
    drop_repetitions(modules);
  }
  if (modules.size() > names_in_label)
    return fmt::format("{} … {} ({} modules)", modules.front(), modules.back(), modules.size());
  return fmt::format("{}", fmt::join(modules, ", "));
}

std::vector<Stage> contract(const Capture& capture, const GradGraph& graph, const std::vector<int>& ddp_index) {
  return Contraction(capture, graph, ddp_index).run();
}

}  // namespace gradscan
