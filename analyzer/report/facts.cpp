#include "analyzer/report/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "analyzer/base/sort_unique.h"
#include "analyzer/graph/in_turn.h"
#include "analyzer/graph/observed.h"
#include "analyzer/report/closures.h"
#include "analyzer/report/report.h"
#include "analyzer/report/stages.h"
#include "gradscan/graph.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

template <typename T>
void add_once(std::vector<T>& list, const std::vector<T>& more) {
  for (const T& each : more)
    if (std::ranges::find(list, each) == list.end()) list.push_back(each);
}

bool has_function(const Capture& capture) {
  return std::ranges::any_of(capture.regions, [](const Region& each) { return each.origin == RegionOrigin::function; });
}

class Assembly {
 public:
  // `turn`: position of the capture that it describes.
  Assembly(std::span<const Capture> in_turn, std::size_t turn, const Setup& setup, const Predictions& predictions)
      : in_turn_(in_turn),
        turn_(turn),
        capture_(in_turn[turn]),
        predictions_(predictions),
        graph_(capture_, setup.checkpointing),
        in_loss_(nodes_in_loss(capture_)),
        order_(ddp_order(capture_)),
        index_(ddp_indices(capture_)) {
    report_.setup = setup;
  }

  Report build(Replays replays) {
    describe_model();
    report_.torch = std::move(replays.torch);
    note_other_torch();
    report_.verdict = std::move(replays.verdict);
    report_.verdicts = std::move(replays.verdicts);
    report_.buckets = std::move(replays.buckets);
    describe_graph();
    record_losses();
    add_second_run();
    mark_in_loss();
    count_firings_and_marks();
    add_regions_of_other_graphs();
    report_.stages = contract(capture_, graph_, index_);
    return std::move(report_);
  }

 private:
  void describe_model() {
    report_.gradscan = version;
    report_.model = capture_.model;
    for (const Capture& capture : in_turn_) report_.in_turn.push_back(capture.model);
    report_.written_by = capture_.written_by;
    report_.regions_known =
        std::all_of(in_turn_.begin(), in_turn_.end(), [](const Capture& capture) { return capture.regions_known; });
    for (const Parameter& parameter : capture_.parameters) {
      report_.frozen += !parameter.requires_grad;
      report_.ignored += parameter.requires_grad && parameter.ignored;
    }
    report_.inputs = capture_.inputs;
    report_.outputs = capture_.outputs;
    report_.loss_guessed = std::ranges::any_of(in_turn_, &Capture::loss_guessed);
    for (const Capture& capture : in_turn_) {
      add_once(report_.notes, capture.notes);
      add_once(all_outputs_seen() && report_.regions_known ? report_.dropping : report_.varying, capture.dropping);
      add_once(report_.varying, capture.varying);
      add_once(report_.ended, capture.ended);
    }
    if (std::ranges::any_of(in_turn_, has_function))
      report_.notes.push_back(
          "Some regions are custom autograd Functions. What is said of them as non-reentrant, or without checkpointing, holds "
          "for torch's checkpoint, or a plain call, in the Function's place.");
    for (const Capture& capture : in_turn_) add_observation(capture);
    if (!is_order_known(in_turn_, report_.setup.step))
      report_.ended.push_back("several forward calls make an iteration, and in which order graphs take turns is not known");
  }

  // Whether DDP's search and its sink reach all that any graph returns.
  bool all_outputs_seen() const {
    return std::ranges::all_of(in_turn_, [](const Capture& capture) {
      return std::ranges::all_of(capture.outputs, [](const Output& each) { return each.found_by_ddp && each.behind_sink; });
    });
  }

  void add_observation(const Capture& capture) {
    if (const std::string& reason = capture.observed.reason; !reason.empty())
      add_once(report_.notes, {"No real backward was compared with what gradscan predicts: " + reason + "."});
    if (std::string error = unexplained_error(capture); !error.empty() && report_.backward_error.empty()) {
      report_.backward_error = std::move(error);
      report_.changed_since = capture.observed.error.empty();
    }
    if (ran_another_graph(capture)) add_once(report_.ended, {std::string(another_graph)});
    add_once(report_.disagreements, disagreements(capture));
  }

  void describe_graph() {
    for (std::size_t index = 0; index < order_.size(); ++index) add_parameter(static_cast<int>(index));
    for (std::size_t region = 0; region < capture_.regions.size(); ++region) add_region(static_cast<int>(region));
    add_closures();
    add_reach();
    add_prices();
    record_uses();
    hand_up_to_parents();
  }

  // After those of the first graph, with the numbers that causes use.
  void add_regions_of_other_graphs() {
    for (std::size_t turn = 1; turn < in_turn_.size(); ++turn) {
      Assembly other(in_turn_, turn, report_.setup, predictions_);
      other.describe_graph();
      other.record_losses();
      int first = static_cast<int>(report_.regions.size());
      for (ParameterReport& row : report_.parameters)
        if (const int lost_in = other.report_.parameters[row.index].lost_in; row.lost_in == none && lost_in != none)
          row.lost_in = lost_in + first;
      for (RegionReport& region : other.report_.regions) {
        region.id += first;
        if (region.parent != none) region.parent += first;
        region.in_turn = static_cast<int>(turn);
        region.name += " of " + in_turn_[turn].model;
        report_.regions.push_back(std::move(region));
      }
    }
  }

  void note_other_torch() {
    auto release = [](const std::string& version) { return version.substr(0, version.find('+')); };
    if (report_.written_by.empty() || release(report_.written_by) == release(report_.torch)) return;
    report_.notes.push_back(
        fmt::format("The file was written by torch {}, but this report says what torch {} does, which gradscan is built with. "
                    "Versions of DDP differ.",
                    report_.written_by, report_.torch));
  }

  void add_parameter(int index) {
    const Parameter& parameter = capture_.parameters[order_[index]];
    ParameterReport row;
    row.index = index;
    row.name = parameter.name;
    row.aliases = parameter.aliases;
    row.shape = parameter.shape;
    row.dtype = parameter.dtype;
    row.seen_if_off = std::all_of(predictions_.non_reentrant.in_turn.begin(), predictions_.non_reentrant.in_turn.end(),
                                  [&](const CallPrediction& call) { return call.seen[index]; });
    for (std::size_t turn = 0; turn < in_turn_.size(); ++turn)
      if (predictions_.asked.in_turn[turn].from_loss.causes[index].empty()) row.idle_in.push_back(static_cast<int>(turn));
    report_.parameters.push_back(std::move(row));
  }

  void mark_in_loss() {
    for (const Capture& capture : in_turn_) {
      Firings plain = count_firings(capture, GradGraph(capture, Checkpointing::off), loss_roots(capture));
      for (ParameterReport& row : report_.parameters) row.in_loss = row.in_loss || !plain.causes[row.index].empty();
    }
  }

  // Firings and marks of the first iteration, with and without DDP's sink.
  void count_firings_and_marks() {
    const TrainingStep& step = report_.setup.step;
    Causes reentrant = firings_without_ddp(predictions_.reentrant, step, 0);
    Causes transparent = firings_without_ddp(predictions_.non_reentrant, step, 0);
    Causes asked = firings_without_ddp(predictions_.asked, step, 0);
    Causes with_sink = firings_in(predictions_.asked, with_flags(true, false), 0);
    std::vector<int> defaults = ready_marks(predictions_.asked, with_flags(false, false)).marks;
    std::vector<int> find_unused = ready_marks(predictions_.asked, with_flags(true, false)).marks;
    std::vector<int> static_graph = ready_marks(predictions_.asked, with_flags(false, true)).marks;
    Marks in_setup_asked = ready_marks(predictions_.asked, report_.setup);
    for (int index : predictions_.asked.uses.plain) report_.parameters[index].used_by_loss = true;
    for (int index : predictions_.asked.uses.times_zero) report_.parameters[index].used_by_loss = true;
    for (ParameterReport& row : report_.parameters) {
      row.firings.reentrant = static_cast<int>(reentrant[row.index].size());
      row.firings.non_reentrant = row.firings.off = static_cast<int>(transparent[row.index].size());
      row.ready_marks = {defaults[row.index], find_unused[row.index], static_graph[row.index]};
      row.heard = std::move(in_setup_asked.heard[row.index]);
      row.seen_by_search = in_setup_asked.seen[row.index];
      row.fired_by = asked[row.index];
      std::set_difference(with_sink[row.index].begin(), with_sink[row.index].end(), row.fired_by.begin(), row.fired_by.end(),
                          std::back_inserter(row.fired_by_sink));
    }
  }

  Setup with_flags(bool find_unused_parameters, bool static_graph) const {
    Setup setup = report_.setup;
    setup.find_unused_parameters = find_unused_parameters;
    setup.static_graph = static_graph;
    return setup;
  }

  void add_region(int id) {
    const Region& region = capture_.regions[id];
    const std::vector<GradEdge>& arguments = capture_.nodes[region.begin].next;
    RegionReport row;
    row.id = id;
    row.name = region.name;
    row.kind = kind_under(report_.setup.checkpointing, region.kind);
    row.given = region.kind;
    row.parent = region.parent;
    row.executed = predictions_.asked.in_turn[turn_].from_loss.executed[id];
    row.lost = row.kind == Kind::reentrant && !row.executed && in_loss_[region.end];
    row.arguments = static_cast<int>(arguments.size());
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (graph_.target(arguments[slot]) == none) row.arguments_without_grad.push_back(static_cast<int>(slot));
    row.nested_outputs = static_cast<int>(region.nested_outputs.size());
    row.source = region.source;
    row.place = region.place;
    row.origin = region.origin;
    row.recomputation = region.recomputation;
    row.mismatch = region.mismatch;
    report_.regions.push_back(std::move(row));
  }

  void add_closures() {
    std::vector<std::vector<int>> closed_over = closures(capture_, graph_);
    for (RegionReport& region : report_.regions)
      for (int vertex : closed_over[region.id]) region.closures.push_back(place_of(capture_, graph_, vertex));
  }

  void add_reach() {
    const CallPrediction &given = predictions_.as_given.in_turn[turn_], &reentrant = predictions_.reentrant.in_turn[turn_];
    const GradGraph transparent(capture_, Checkpointing::non_reentrant);
    const std::vector<bool> from_loss = needed(transparent, loss_roots(capture_, report_.setup.step)),
                            from_sink = needed(transparent, sink_roots(capture_, transparent, report_.setup.step)),
                            given_loses = losing(lost_regions(Checkpointing::as_given, given)),
                            reentrant_loses = losing(lost_regions(Checkpointing::reentrant, reentrant));
    for (RegionReport& row : report_.regions) {
      row.reach_as_given = {given.from_loss.executed[row.id], given.from_sink.executed[row.id], given_loses[row.id]};
      row.reach_if_reentrant = {reentrant.from_loss.executed[row.id], reentrant.from_sink.executed[row.id],
                                reentrant_loses[row.id]};
      row.reach_if_non_reentrant = {from_loss[row.id], from_sink[row.id]};
    }
  }

  // For each region, whether it is reentrant and not executed, although the loss depends on what it computes.
  std::vector<bool> lost_regions(Checkpointing checkpointing, const CallPrediction& prediction) const {
    std::vector<bool> lost;
    for (std::size_t id = 0; id < capture_.regions.size(); ++id)
      lost.push_back(kind_under(checkpointing, capture_.regions[id].kind) == Kind::reentrant &&
                     !prediction.from_loss.executed[id] && in_loss_[capture_.regions[id].end]);
    return lost;
  }

  // For each region, whether a parameter loses part of its gradient in it.
  std::vector<bool> losing(const std::vector<bool>& lost) const {
    std::vector<bool> result(lost.size());
    for (int region : lost_in(lost))
      if (region != none) result[region] = true;
    return result;
  }

  // For each region, whether a backward from the roots needs what is saved in it.
  std::vector<bool> needed(const GradGraph& graph, const std::vector<GradEdge>& roots) const {
    std::vector<bool> result(capture_.regions.size());
    const std::vector<int> innermost = innermost_regions(capture_);
    for (int node : vertices_behind(graph, roots))
      if (capture_.nodes[node].saves_tensors)
        for (int region = innermost[node]; region != none && !result[region]; region = capture_.regions[region].parent)
          result[region] = true;
    return result;
  }

  void add_second_run() {
    const Firings& firings = predictions_.asked.in_turn[turn_].from_loss;
    if (firings.runs_twice)
      report_.second_run = SecondRun{place_of(capture_, graph_, *firings.runs_twice), firings.runs_twice_in};
  }

  // What the nodes of each region save and compute, including nested regions. A storage counts once per region, so if a second
  // node saves it, the regions around both nodes must not count it twice. Linear in nodes, except for a binary search among the
  // regions around a node.
  void add_prices() {
    std::vector<int> region_of = innermost_regions(capture_), saved_last(capture_.storages.size(), none);
    std::vector<int> around;  // regions around the node, outermost first
    for (int id = 0; id < static_cast<int>(capture_.nodes.size()); ++id) {
      while (!around.empty() && capture_.regions[around.back()].end < id) around.pop_back();
      if (region_of[id] != none && capture_.regions[region_of[id]].begin == id) around.push_back(region_of[id]);
      if (around.empty()) continue;
      report_.regions[around.back()].recompute_flops += capture_.nodes[id].forward_flops;
      if (int region = around.back(); capture_.regions[region].begin == id)
        report_.regions[region].recompute_flops += capture_.regions[region].constant_flops;
      if (capture_.nodes[id].role != Role::operation) continue;
      for (int storage : capture_.nodes[id].saved)
        if (capture_.storages[storage].activation) add_saved(around, storage, std::exchange(saved_last[storage], id));
    }
  }

  // Regions that began before the storage was last saved have counted it already. hand_up_to_parents() adds to the parents.
  void add_saved(const std::vector<int>& around, int storage, int saved_last) {
    std::int64_t bytes = capture_.storages[storage].bytes;
    auto counted = std::partition_point(around.begin(), around.end(),
                                        [&](int region) { return capture_.regions[region].begin <= saved_last; });
    report_.regions[around.back()].saved_bytes += bytes;
    if (counted != around.begin()) report_.regions[*std::prev(counted)].saved_bytes -= bytes;
  }

  // A node with an edge to a parameter uses it. A region's arguments belong to the scope around the region.
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

  void record_losses() {
    const std::vector<int> regions = lost_in(lost_regions(report_.setup.checkpointing, predictions_.asked.in_turn[turn_]));
    for (std::size_t index = 0; index < regions.size(); ++index)
      report_.parameters[index].lost_in = blocked_at(report_, regions[index]);
  }

  // For each parameter, the last of these lost regions through which a gradient would reach it if nothing were checkpointed.
  std::vector<int> lost_in(const std::vector<bool>& lost) const {
    std::vector<bool> reached(capture_.nodes.size());
    std::vector<int> through(capture_.nodes.size(), none), result(order_.size(), none);
    const std::vector<int> innermost = innermost_regions(capture_);
    const auto is_boundary = [&](int node) {
      return capture_.nodes[node].role == Role::region_begin || capture_.nodes[node].role == Role::region_end;
    };
    auto send = [&](GradEdge edge, int last) {
      for (; edge.node != none && is_boundary(edge.node); edge = capture_.nodes[edge.node].next[edge.slot])
        if (const int region = innermost[edge.node]; capture_.regions[region].end == edge.node && lost[region]) last = region;
      if (edge.node == none) return;
      reached[edge.node] = true;
      if (last != none) through[edge.node] = last;
    };
    for (const Output& output : capture_.outputs)
      if (output.in_loss) send(output.edge, none);
    for (std::size_t id = capture_.nodes.size(); id-- > 0;)
      if (reached[id])
        for (GradEdge edge : capture_.nodes[id].next) send(edge, through[id]);
    for (std::size_t id = 0; id < capture_.nodes.size(); ++id)
      if (int index = parameter_at({static_cast<int>(id), 0}); index != none) result[index] = through[id];
    return result;
  }

  int parameter_at(GradEdge edge) const {
    if (edge.node == none || capture_.nodes[edge.node].role != Role::parameter) return none;
    return index_[capture_.nodes[edge.node].parameter];
  }

  // Parents precede their children.
  void hand_up_to_parents() {
    for (auto region = report_.regions.rbegin(); region != report_.regions.rend(); ++region) {
      sort_unique(region->parameters);
      if (region->parent == none) continue;
      RegionReport& above = report_.regions[region->parent];
      above.parameters.insert(above.parameters.end(), region->parameters.begin(), region->parameters.end());
      above.saved_bytes += region->saved_bytes;
      above.recompute_flops += region->recompute_flops;
    }
  }

  std::span<const Capture> in_turn_;
  std::size_t turn_;
  const Capture& capture_;
  const Predictions& predictions_;
  GradGraph graph_;
  std::vector<bool> in_loss_;  // for each node, whether the loss depends on it without checkpointing
  std::vector<int> order_;     // positions in capture.parameters by DDP index
  std::vector<int> index_;     // DDP index by position in capture.parameters; none if frozen
  Report report_;
};

}  // namespace

std::set<Kind> kinds_in(std::span<const Capture> in_turn) {
  std::set<Kind> kinds;
  for (const Capture& capture : in_turn)
    for (const Region& region : capture.regions) kinds.insert(region.kind);
  return kinds;
}

std::vector<Setup> setups_to_compare(std::span<const Capture> in_turn, const Setup& asked) {
  std::vector<Checkpointing> rows{Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off};
  if (kinds_in(in_turn).size() > 1) rows.insert(rows.begin(), Checkpointing::as_given);
  std::vector<Setup> setups;
  for (Checkpointing row : rows)
    for (auto [find_unused_parameters, static_graph] : {std::pair(false, false), {true, false}, {false, true}}) {
      setups.push_back(asked);
      setups.back().checkpointing = row;
      setups.back().find_unused_parameters = find_unused_parameters;
      setups.back().static_graph = static_graph;
    }
  return setups;
}

Report facts_of(std::span<const Capture> in_turn, const Setup& setup, const Predictions& predictions, Replays replays) {
  return Assembly(in_turn, 0, setup, predictions).build(std::move(replays));
}

}  // namespace gradscan
