#include "analyzer/report/report.h"

#include <algorithm>
#include <iterator>

#include "analyzer/report/findings.h"
#include "analyzer/report/fixes.h"
#include "analyzer/report/stages.h"
#include "gradscan/graph.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

class Assembly {
 public:
  Assembly(const Capture& capture, const Setup& setup, const Predictions& predictions)
      : capture_(capture), predictions_(predictions), graph_(capture, setup.checkpointing), order_(ddp_order(capture)) {
    index_.assign(capture.parameters.size(), none);
    for (std::size_t index = 0; index < order_.size(); ++index) index_[order_[index]] = static_cast<int>(index);
    report_.setup = setup;
  }

  Report build(Replays replays) {
    describe_model();
    report_.torch = std::move(replays.torch);
    report_.verdict = std::move(replays.verdict);
    report_.verdicts = std::move(replays.verdicts);
    report_.buckets = std::move(replays.buckets);
    for (std::size_t index = 0; index < order_.size(); ++index) add_parameter(static_cast<int>(index));
    for (std::size_t region = 0; region < capture_.regions.size(); ++region) add_region(static_cast<int>(region));
    record_uses();
    hand_up_to_parents();
    report_.stages = contract(capture_, graph_, index_);
    report_.findings = find_conflicts(report_);
    report_.fixes = find_fixes(report_);
    return std::move(report_);
  }

 private:
  void describe_model() {
    report_.gradscan = version;
    report_.model = capture_.model;
    report_.written_by = capture_.written_by;
    report_.frozen = static_cast<int>(capture_.parameters.size() - order_.size());
    report_.inputs = capture_.inputs;
    report_.outputs = capture_.outputs;
    report_.notes = capture_.notes;
  }

  void add_parameter(int index) {
    const Parameter& parameter = capture_.parameters[order_[index]];
    ParameterReport row;
    row.index = index;
    row.name = parameter.name;
    row.aliases = parameter.aliases;
    row.shape = parameter.shape;
    row.dtype = parameter.dtype;
    row.firings.reentrant = static_cast<int>(predictions_.reentrant.from_loss.causes[index].size());
    row.firings.non_reentrant = row.firings.off = static_cast<int>(predictions_.non_reentrant.from_loss.causes[index].size());
    const Prediction& asked = predictions_.asked;
    row.ready_marks.defaults = ready_marks(asked, {}, index);
    row.ready_marks.find_unused_parameters = ready_marks(asked, {.find_unused_parameters = true}, index);
    row.ready_marks.static_graph = ready_marks(asked, {.static_graph = true}, index);
    row.fired_by = asked.from_loss.causes[index];
    const std::vector<int>& with_sink = asked.from_sink.causes[index];
    std::set_difference(with_sink.begin(), with_sink.end(), row.fired_by.begin(), row.fired_by.end(),
                        std::back_inserter(row.fired_by_sink));
    row.seen_by_search = asked.seen[index];
    report_.parameters.push_back(std::move(row));
  }

  void add_region(int id) {
    const Region& region = capture_.regions[id];
    const std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    RegionReport row;
    row.id = id;
    row.name = region.name;
    row.kind = kind_under(capture_, report_.setup.checkpointing, id);
    row.parent = region.parent;
    row.executed = predictions_.asked.from_loss.executed[id];
    row.arguments = static_cast<int>(arguments.size());
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (graph_.target(arguments[slot]) == none) row.arguments_without_grad.push_back(static_cast<int>(slot));
    row.nested_outputs = static_cast<int>(region.nested_outputs.size());
    row.source = region.source;
    row.origin = region.origin;
    add_price(region, row);
    report_.regions.push_back(std::move(row));
  }

  // A walk over the region's nodes, once for each region around them.
  void add_price(const Region& region, RegionReport& row) {
    counted_for_.resize(capture_.storages.size(), none);
    for (int id = region.begin; id <= region.end; ++id) {
      const Node& node = capture_.nodes[id];
      row.recompute_flops += node.forward_flops;
      for (int storage : node.saved) {
        if (counted_for_[storage] == row.id || !capture_.storages[storage].activation) continue;
        counted_for_[storage] = row.id;
        row.saved_bytes += capture_.storages[storage].bytes;
      }
    }
  }

  // Who has an edge to a parameter uses it. A region's arguments belong to what is around it.
  void record_uses() {
    std::vector<int> region_of = innermost_regions(capture_);
    for (std::size_t id = 0; id < capture_.nodes.size(); ++id) {
      const Node& node = capture_.nodes[id];
      int region = region_of[id];
      if (node.role == Role::region_begin) region = capture_.regions[region].parent;
      for (GradEdge edge : node.next) record_use(edge, region);
    }
    for (const Output& output : capture_.outputs)
      if (int index = parameter_at(output.edge); index != none) {
        record_use(output.edge, none);
        report_.parameters[index].returned_as = output.path;
      }
    for (ParameterReport& parameter : report_.parameters) sort_unique(parameter.used_in);
  }

  void record_use(GradEdge edge, int region) {
    int index = parameter_at(edge);
    if (index == none) return;
    report_.parameters[index].used_in.push_back(region);
    if (region != none) report_.regions[region].parameters.push_back(index);
  }

  int parameter_at(GradEdge edge) const {
    if (edge.node == none || capture_.nodes[edge.node].role != Role::parameter) return none;
    return index_[capture_.nodes[edge.node].parameter];
  }

  // Parents stand before their children.
  void hand_up_to_parents() {
    for (auto region = report_.regions.rbegin(); region != report_.regions.rend(); ++region) {
      sort_unique(region->parameters);
      if (region->parent == none) continue;
      std::vector<int>& above = report_.regions[region->parent].parameters;
      above.insert(above.end(), region->parameters.begin(), region->parameters.end());
    }
  }

  static void sort_unique(std::vector<int>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }

  const Capture& capture_;
  const Predictions& predictions_;
  GradGraph graph_;
  std::vector<int> order_;        // positions in capture.parameters by DDP index
  std::vector<int> index_;        // DDP index by position in capture.parameters; none if frozen
  std::vector<int> counted_for_;  // for each storage the last region that it was counted for
  Report report_;
};

}  // namespace

bool mixes_kinds(const Capture& capture) {
  return std::any_of(capture.regions.begin(), capture.regions.end(),
                     [&](const Region& region) { return region.kind != capture.regions.front().kind; });
}

Kind kind_under(const Capture& capture, Checkpointing checkpointing, int region) {
  switch (checkpointing) {
    case Checkpointing::reentrant:
      return Kind::reentrant;
    case Checkpointing::non_reentrant:
      return Kind::non_reentrant;
    case Checkpointing::off:
      return Kind::off;
    case Checkpointing::as_given:
      break;
  }
  return capture.regions[region].kind;
}

std::vector<Setup> setups_to_compare(const Capture& capture, double bucket_cap_mb) {
  std::vector<Checkpointing> rows{Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off};
  if (mixes_kinds(capture)) rows.insert(rows.begin(), Checkpointing::as_given);
  std::vector<Setup> setups;
  for (Checkpointing row : rows) {
    setups.push_back({row, false, false, bucket_cap_mb});
    setups.push_back({row, true, false, bucket_cap_mb});
    setups.push_back({row, false, true, bucket_cap_mb});
  }
  return setups;
}

Report build_report(const Capture& capture, const Setup& setup, const Predictions& predictions, Replays replays) {
  return Assembly(capture, setup, predictions).build(std::move(replays));
}

bool has_conflict(const Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [](const Finding& finding) { return finding.level != Level::note; });
}

// DDP's messages put a dot before the name of a parameter of the root module.
const ParameterReport* find_parameter(const Report& report, std::string_view name_or_index) {
  if (name_or_index.starts_with('.')) name_or_index.remove_prefix(1);
  for (const ParameterReport& parameter : report.parameters)
    if (std::to_string(parameter.index) == name_or_index || parameter.name == name_or_index ||
        std::find(parameter.aliases.begin(), parameter.aliases.end(), name_or_index) != parameter.aliases.end())
      return &parameter;
  return nullptr;
}

}  // namespace gradscan
