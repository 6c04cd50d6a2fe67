#include "analyzer/replay/reducer.h"

#include <ATen/core/ivalue.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/distributed/c10d/debug.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <utility>

#include "analyzer/replay/buckets.h"

namespace gradscan {
namespace {

// Laying out a bucket takes the Reducer time quadratic in the bucket's parameters. If gradients are copied into buckets and
// back, none are copied back before all are reduced: the outcome does not depend on the layout, and the Reducer gets small
// buckets. With gradient_as_bucket_view, a gradient lives in its bucket and is averaged with it, even in an iteration whose
// reduction never finishes: the Reducer gets the buckets of the real model. In such an iteration, nothing waits for these
// all-reduces, so real gradients may change after backward until they have ended; those of the LocalBackend end at once.
constexpr std::size_t parameters_per_bucket = 64;
constexpr std::int64_t bucket_bytes = parameters_per_bucket * sizeof(float);

class DoneWork : public c10d::Work {
 public:
  explicit DoneWork(std::vector<at::Tensor> tensors)
      : future_(c10::make_intrusive<c10::ivalue::Future>(c10::ListType::ofTensors())) {
    future_->markCompleted(c10::IValue(std::move(tensors)));
    finish();
  }

  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

 private:
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

using AddOtherRank = std::function<void(const at::Tensor& sum)>;

// Rank 0 of two.
class LocalBackend : public c10d::Backend {
 public:
  explicit LocalBackend(AddOtherRank add_other_rank) : Backend(0, 2), add_other_rank_(std::move(add_other_rank)) {}

  const std::string getBackendName() const override { return "local"; }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors, const c10d::AllreduceOptions&) override {
    for (const at::Tensor& tensor : tensors) add_other_rank_(tensor);
    return c10::make_intrusive<DoneWork>(tensors);
  }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors, const c10d::BroadcastOptions&) override {
    return c10::make_intrusive<DoneWork>(tensors);
  }

 private:
  AddOtherRank add_other_rank_;
};

c10::intrusive_ptr<c10d::ProcessGroup> local_group(AddOtherRank add_other_rank) {
  auto group = c10::make_intrusive<c10d::ProcessGroup>(0, 2);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::CUSTOM,
                    c10::make_intrusive<LocalBackend>(std::move(add_other_rank)));
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::CUSTOM);
  return group;
}

// Exposes internals of the Reducer: the order of arrival until it rebuilds its buckets, whether it listens to hooks, and which
// gradients it sums.
class Reducer : public c10d::Reducer {
 public:
  using c10d::Reducer::Reducer;
  bool listens() const { return expect_autograd_hooks_; }
  const std::vector<std::int64_t>& arrived() const { return rebuilt_param_indices_; }

  // Adds the other rank's gradients to the sum of a bucket, which holds halves, and gives that rank the result.
  void add_other_rank(const at::Tensor& sum, std::vector<float>& gradients) const {
    for (const Bucket& bucket : buckets_) {
      if (!bucket.gradients.is_alias_of(sum)) continue;
      float* sums = sum.mutable_data_ptr<float>();
      for (std::size_t i = 0; i < bucket.variable_indices.size(); ++i) {
        float& gradient = gradients[bucket.variable_indices[i]];
        gradient = sums[bucket.offsets[i]] += gradient / 2;
      }
    }
  }
};

using ParameterNames = std::unordered_map<std::size_t, std::string>;

// The Reducer prints names only if this level was set when it was constructed. The level is global to the process: hold the
// lock while constructing anything that reads it (a Reducer, a process group, a backend).
class NamesInMessages {
 public:
  NamesInMessages() : lock_(mutex()), before_(c10d::debug_level()) { c10d::setDebugLevel(c10d::DebugLevel::Info); }
  ~NamesInMessages() { c10d::setDebugLevel(before_); }
  NamesInMessages(const NamesInMessages&) = delete;
  NamesInMessages& operator=(const NamesInMessages&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }

  std::lock_guard<std::mutex> lock_;
  c10d::DebugLevel before_;
};

// The constructor's arguments up to use_python_reducer have been the same since torch 2.7; newer versions add more, the first
// of them without a default.
template <class... Args>
std::shared_ptr<Reducer> new_reducer(Args&&... args) {
  if constexpr (std::is_constructible_v<Reducer, Args&&...>) {
    return std::make_shared<Reducer>(std::forward<Args>(args)...);
  } else {
    return std::make_shared<Reducer>(std::forward<Args>(args)..., std::vector<std::int64_t>());
  }
}

using Buckets = std::vector<std::vector<std::size_t>>;

Buckets small_buckets(std::size_t parameters) {
  Buckets buckets;
  for (std::size_t index = parameters; index-- > 0;) {
    if (buckets.empty() || buckets.back().size() == parameters_per_bucket) buckets.emplace_back();
    buckets.back().push_back(index);
  }
  return buckets;
}

Buckets real_buckets(const Capture& capture, const Setup& setup, const std::vector<int>& arrival_order) {
  Buckets buckets;
  for (const std::vector<int>& bucket : bucket_layout(capture, setup, arrival_order))
    buckets.emplace_back(bucket.begin(), bucket.end());
  return buckets;
}

ParameterNames names_of(const Capture& capture) {
  std::vector<int> order = ddp_order(capture);
  ParameterNames names;
  names.reserve(order.size());  // like Python's binding: a message lists names in the order of this map
  for (std::size_t index = 0; index < order.size(); ++index) names[index] = ddp_name(capture.parameters[order[index]]);
  return names;
}

std::shared_ptr<Reducer> reducer_for(const std::vector<at::Tensor>& parameters, const Capture& capture, const Setup& setup,
                                     AddOtherRank add_other_rank) {
  NamesInMessages names_in_messages;
  Buckets buckets = setup.gradient_as_bucket_view ? real_buckets(capture, setup, {}) : small_buckets(parameters.size());
  return new_reducer(parameters, std::move(buckets), local_group(std::move(add_other_rank)),
                     std::vector<bool>(parameters.size(), false), bucket_bytes, setup.find_unused_parameters,
                     setup.gradient_as_bucket_view, names_of(capture), bucket_bytes,
                     /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false);
}

}  // namespace

struct DdpReducer::State {
  State(const std::vector<at::Tensor>& parameters, const Capture& capture, const Setup& setup)
      : capture(capture),
        setup(setup),
        search(setup.find_unused_parameters && !setup.static_graph),
        static_graph(setup.static_graph),
        other_gradients(parameters.size()),
        reducer(reducer_for(parameters, capture, setup,
                            [this](const at::Tensor& sum) { reducer->add_other_rank(sum, other_gradients); })),
        logger(std::make_shared<c10d::Logger>(reducer)) {}

  const Capture& capture;
  const Setup& setup;
  const bool search, static_graph;
  bool no_sync = false;
  bool prepared = false;            // whether DDP has prepared for backward since the current loss began
  bool all_reduce_delayed = false;  // whether the static graph's first all-reduce has been deferred to the end of backward
  std::vector<int> arrival_order;
  std::vector<float> other_gradients;
  std::shared_ptr<Reducer> reducer;
  std::shared_ptr<c10d::Logger> logger;  // the search for unused parameters needs it
};

DdpReducer::DdpReducer(const std::vector<at::Tensor>& parameters, const Capture& capture, const Setup& setup)
    : state_(std::make_unique<State>(parameters, capture, setup)) {
  state_->reducer->set_logger(state_->logger);
  state_->logger->set_construction_data_and_log("", /*device_ids=*/{}, /*output_device=*/-1, /*broadcast_buffers=*/true,
                                                /*has_sync_bn=*/false, setup.static_graph);
  if (!setup.static_graph) return;
  state_->reducer->set_static_graph();
  state_->logger->set_static_graph();
}

DdpReducer::~DdpReducer() = default;

void DdpReducer::zero_grad() {
  std::fill(state_->other_gradients.begin(), state_->other_gradients.end(), 0.0f);
}

void DdpReducer::begin_loss(bool no_sync) {
  state_->no_sync = no_sync;
  state_->prepared = false;
}

Hearing DdpReducer::hearing() const {
  if (state_->no_sync || !state_->prepared) return Hearing::not_prepared;
  return state_->reducer->listens() ? Hearing::listens : Hearing::finished;
}

void DdpReducer::before_forward() {
  Reducer& reducer = *state_->reducer;
  if (!state_->no_sync) {
    state_->logger->set_runtime_stats_and_log();
    reducer.prepare_for_forward();
  }
  std::vector<std::int64_t> arrived = reducer.arrived();
  if (!reducer.rebuild_buckets()) return;
  state_->arrival_order.assign(arrived.begin(), arrived.end());
  if (state_->setup.gradient_as_bucket_view)
    reducer.initialize_buckets(real_buckets(state_->capture, state_->setup, state_->arrival_order));
}

GradientEdges DdpReducer::after_forward(GradientEdges outputs, const std::vector<Output>& places) {
  State& state = *state_;
  GradientEdges found_edges, sunk_edges;
  for (std::size_t output = 0; output < outputs.size(); ++output) {
    if (places[output].found_by_ddp) found_edges.push_back(outputs[output]);
    if (places[output].behind_sink) sunk_edges.push_back(outputs[output]);
  }
  std::vector<at::Tensor> tensors;
  if (state.search && !state.no_sync)
    std::transform(found_edges.begin(), found_edges.end(), std::back_inserter(tensors), tensor_with);
  if (!state.no_sync) {
    state.reducer->prepare_for_backward(tensors);
    state.prepared = true;
  }
  if (!state.search && (!state.static_graph || state.all_reduce_delayed)) return outputs;
  GradientEdges behind_sink = sink_behind(sunk_edges, [&state] {
    if (!state.static_graph || std::exchange(state.all_reduce_delayed, true)) return;
    torch::autograd::Engine::get_default_engine().queue_callback([&state] { state.reducer->delay_all_reduce(); });
  });
  for (std::size_t output = 0, next = 0; output < outputs.size(); ++output)
    if (places[output].behind_sink) outputs[output] = behind_sink[next++];
  return outputs;
}

const std::vector<float>& DdpReducer::other_gradients() const {
  return state_->other_gradients;
}

std::vector<int> DdpReducer::arrival_order() const {
  return state_->arrival_order;
}

}  // namespace gradscan
