#include "analyzer/graph/predict.h"

#include <algorithm>

#include "analyzer/graph/in_turn.h"
#include "gradscan/graph.h"

namespace gradscan {
namespace {

// The forward calls that enter a loss. The last loss of an iteration is the one that is synchronised.
std::vector<const CallPrediction*> calls_of(const Prediction& prediction, const TrainingStep& step, int iteration, int loss) {
  std::vector<const CallPrediction*> calls;
  std::size_t first = (static_cast<std::size_t>(iteration) * (step.no_sync + 1) + loss) * step.forwards;
  for (int place = 0; place < step.forwards; ++place)
    calls.push_back(&prediction.in_turn[prediction.turns[(first + place) % prediction.turns.size()]]);
  return calls;
}

// Whether DDP's sink is behind forward: always with find_unused_parameters; with static_graph, which makes DDP ignore
// find_unused_parameters, until the sink has run.
bool has_sink(const Prediction& prediction, const Setup& setup, int iteration, int loss) {
  if (!setup.static_graph) return setup.find_unused_parameters;
  for (int earlier = iteration * (setup.step.no_sync + 1) + loss - 1; earlier >= 0; --earlier)
    for (const CallPrediction* call : calls_of(prediction, setup.step, 0, earlier))
      if (call->feeds_sink) return false;
  return true;
}

bool is_around(const TrainingStep& step) {
  return step.checkpoint_around == Kind::reentrant;
}

// One backward. The outer graphs of all calls form one graph, in which a parameter fires once; every region is executed
// separately.
class Backward {
 public:
  // `around`: whether a reentrant checkpoint wraps the model; `uses`: the parameters that the loss uses directly.
  Backward(const std::vector<const CallPrediction*>& calls, bool around, bool sink, const OutsideUses& uses)
      : causes_(calls.front()->seen.size()), outer_(causes_.size()) {
    for (const CallPrediction* call : calls) add((sink ? call->from_sink : call->from_loss).causes, around);
    for (const std::vector<int>* taken : {&uses.plain, &uses.times_zero})
      for (int index : *taken) outer_[index] = true;
    for (std::size_t index = 0; index < causes_.size(); ++index) {
      if (outer_[index]) causes_[index].push_back(outer_graph);
      std::sort(causes_[index].begin(), causes_[index].end());
    }
  }

  const Causes& causes() const { return causes_; }

 private:
  void add(const Causes& of_call, bool around) {
    for (std::size_t index = 0; index < of_call.size(); ++index)
      for (Cause cause : of_call[index]) {
        if (cause != outer_graph || around) causes_[index].push_back(cause == outer_graph ? around_model : cause);
        if (cause == outer_graph && !around) outer_[index] = true;
      }
  }

  Causes causes_;
  std::vector<bool> outer_;
};

void append(Causes& causes, const Causes& more) {
  for (std::size_t index = 0; index < causes.size(); ++index)
    causes[index].insert(causes[index].end(), more[index].begin(), more[index].end());
}

// All backwards of an iteration. `sink(loss)`: whether DDP's sink is present.
Causes firings_of_iteration(const Prediction& prediction, const TrainingStep& step, int iteration, auto&& sink) {
  Causes causes(prediction.in_turn.front().seen.size());
  for (int loss = 0; loss <= step.no_sync; ++loss) {
    std::vector<const CallPrediction*> calls = calls_of(prediction, step, iteration, loss);
    OutsideUses uses = prediction.uses;
    for (const CallPrediction* call : calls) uses.plain.insert(uses.plain.end(), call->passed.begin(), call->passed.end());
    Backward backward(calls, is_around(step), sink(loss), uses);
    for (int left = step.backwards; left > 0; --left) append(causes, backward.causes());
  }
  for (std::vector<Cause>& of_parameter : causes) std::sort(of_parameter.begin(), of_parameter.end());
  return causes;
}

// The firings that reach DDP: those of the first backward of the loss that is synchronised. A reentrant checkpoint around the
// model runs DDP's forward only in backward, once for each call, after the parameters that the loss uses directly have fired.
Causes heard_firings(const Prediction& prediction, const Setup& setup, int iteration) {
  int loss = setup.step.no_sync;
  bool around = is_around(setup.step);
  std::vector<const CallPrediction*> calls = calls_of(prediction, setup.step, iteration, loss);
  if (around) calls.resize(1);
  return Backward(calls, around, has_sink(prediction, setup, iteration, loss), around ? OutsideUses() : prediction.uses)
      .causes();
}

// Only the search of the last forward call counts.
Marks unmarked(const Prediction& prediction, const Setup& setup, int iteration) {
  return {{},
          heard_firings(prediction, setup, iteration),
          calls_of(prediction, setup.step, iteration, setup.step.no_sync).back()->seen};
}

// With static_graph, iteration 0 is the contract: a parameter is marked by the last of that many firings.
Marks marks_by_contract(const Prediction& prediction, const Setup& setup, int iteration) {
  Causes first = heard_firings(prediction, setup, 0);
  Marks result = unmarked(prediction, setup, iteration);
  for (std::size_t index = 0; index < first.size(); ++index) {
    std::size_t fired = result.heard[index].size();
    result.marks.push_back(fired == first[index].size() ? 1 : fired < first[index].size() ? 0 : 2);
  }
  return result;
}

Marks marks_by_firings(const Prediction& prediction, const Setup& setup, int iteration) {
  Marks result = unmarked(prediction, setup, iteration);
  for (std::size_t index = 0; index < result.seen.size(); ++index) {
    bool marked_by_search = setup.find_unused_parameters && !result.seen[index];
    result.marks.push_back(static_cast<int>(result.heard[index].size()) + (marked_by_search ? 1 : 0));
  }
  return result;
}

std::vector<int> passed(const Capture& capture, const TrainingStep& step) {
  std::vector<int> indices, index_of = ddp_indices(capture);
  for (const Output& output : capture.outputs) {
    int parameter = is_around(step) && output.in_loss ? passed_by_checkpoint(capture, output) : none;
    if (parameter != none && index_of[parameter] != none) indices.push_back(index_of[parameter]);
  }
  return indices;
}

// Regions are numbered consecutively across all captures in turn.
void renumber(Causes& causes, int first_region) {
  for (std::vector<Cause>& of_parameter : causes)
    for (Cause& cause : of_parameter)
      if (cause.is_region()) cause = cause.region() + first_region;
}

}  // namespace

Prediction predict(std::span<const Capture> in_turn, Checkpointing checkpointing, const TrainingStep& step) {
  Prediction prediction{.uses = outside_uses(in_turn.front(), step), .turns = turns_of(in_turn)};
  prediction.iterations = iterations_for(prediction.turns, step);
  int first_region = 0;
  for (const Capture& capture : in_turn) {
    GradGraph graph(capture, checkpointing);
    prediction.in_turn.push_back({count_firings(capture, graph, loss_roots(capture, step)),
                                  count_firings(capture, graph, sink_roots(capture, graph, step)),
                                  feeds_sink(capture, graph, step), seen_by_search(capture, graph), passed(capture, step)});
    renumber(prediction.in_turn.back().from_loss.causes, first_region);
    renumber(prediction.in_turn.back().from_sink.causes, first_region);
    first_region += static_cast<int>(capture.regions.size());
  }
  return prediction;
}

std::vector<bool> nodes_in_loss(const Capture& capture) {
  std::vector<bool> reached(capture.nodes.size());
  auto reach = [&](GradEdge edge) {
    if (edge.node != none) reached[edge.node] = true;
  };
  for (const Output& output : capture.outputs)
    if (output.in_loss) reach(output.edge);
  for (std::size_t id = capture.nodes.size(); id-- > 0;)
    if (reached[id]) std::ranges::for_each(capture.nodes[id].next, reach);
  return reached;
}

std::vector<int> vertices_behind(const GradGraph& graph, const std::vector<GradEdge>& roots) {
  std::vector<bool> reached(boost::num_vertices(graph.edges()));
  std::vector<int> found;
  auto reach = [&](int vertex) {
    if (vertex == none || reached[vertex]) return;
    reached[vertex] = true;
    found.push_back(vertex);
  };
  for (GradEdge root : roots) reach(graph.target(root));
  for (std::size_t next = 0; next < found.size(); ++next) {
    auto [edge, end] = boost::out_edges(static_cast<std::uint32_t>(found[next]), graph.edges());
    for (; edge != end; ++edge) reach(static_cast<int>(boost::target(*edge, graph.edges())));
  }
  return found;
}

Causes firings_without_ddp(const Prediction& prediction, const TrainingStep& step, int iteration) {
  return firings_of_iteration(prediction, step, iteration, [](int) { return false; });
}

Causes firings_in(const Prediction& prediction, const Setup& setup, int iteration) {
  return firings_of_iteration(prediction, setup.step, iteration,
                              [&](int loss) { return has_sink(prediction, setup, iteration, loss); });
}

Marks ready_marks(const Prediction& prediction, const Setup& setup) {
  auto marks_in = [&](int iteration) {
    return setup.static_graph ? marks_by_contract(prediction, setup, iteration + 1)
                              : marks_by_firings(prediction, setup, iteration);
  };
  Marks result = marks_in(0);
  int iterations = prediction.in_turn.size() == 1 ? 1 : prediction.iterations;
  for (int iteration = 1; iteration < iterations; ++iteration) {
    Marks later = marks_in(iteration);
    for (std::size_t index = 0; index < later.marks.size(); ++index) {
      if (result.marks[index] != 1 || later.marks[index] == 1) continue;
      result.marks[index] = later.marks[index];
      result.heard[index] = std::move(later.heard[index]);
      result.seen[index] = later.seen[index];
    }
  }
  return result;
}

}  // namespace gradscan
