// analyse() runs what needs torch: a backward without DDP for each kind of checkpointing, which checks the predicted firings
// whatever DDP does later, and a replay for each setup. Setups that build the same graph share one run: as_given where all
// regions are of one kind, and off, because non-reentrant regions are transparent: they leave the graph, the firings and DDP's
// search as they are without checkpointing. What they change, memory and recomputation, a replay does not have.
#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <thread>
#include <tuple>

#include "analyzer/graph/predict.h"
#include "analyzer/report/report.h"
#include "gradscan/replay.h"
#include "gradscan/report.h"

namespace gradscan {
namespace {

constexpr std::size_t threads_at_most = 2;

// The kind of checkpointing that stands for all those that build the same graph.
Checkpointing representative(std::span<const Capture> in_turn, Checkpointing checkpointing) {
  if (kinds_in(in_turn).empty()) return Checkpointing::non_reentrant;
  if (checkpointing == Checkpointing::as_given && kinds_in(in_turn).size() == 1)
    return kinds_in(in_turn).contains(Kind::reentrant) ? Checkpointing::reentrant : Checkpointing::non_reentrant;
  return checkpointing == Checkpointing::off ? Checkpointing::non_reentrant : checkpointing;
}

// Runs the tasks on a few threads, the first ones first; rethrows the first exception.
void run_all(const std::vector<std::function<void()>>& tasks) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> errors(tasks.size());
  auto work = [&] {
    for (std::size_t at = next++; at < tasks.size(); at = next++) {
      try {
        tasks[at]();
      } catch (...) {
        errors[at] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 1; thread < std::min(threads_at_most, tasks.size()); ++thread) threads.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

class Runs {
 public:
  Runs(std::span<const Capture> in_turn, const TrainingStep& step) : in_turn_(in_turn), step_(step) {}

  void add(const Setup& setup) {
    if (place_.try_emplace(key(setup), setups_.size()).second) setups_.push_back(represented(setup));
    predictions_.try_emplace(represented(setup).checkpointing);
  }

  // Predicts, replays and compares. The short runs without DDP come last, so that both threads end at about the same time.
  void run() {
    std::vector<std::function<void()>> tasks;
    replays_.resize(setups_.size());
    for (std::size_t at = 0; at < setups_.size(); ++at)
      tasks.push_back([this, at] {
        replays_[at] = replay(in_turn_, setups_[at]);
        check_replay(in_turn_.front(), predictions_.at(setups_[at].checkpointing), replays_[at]);
      });
    for (auto& each : predictions_) {
      each.second = predict(in_turn_, each.first, step_);
      tasks.push_back(
          [this, &each] { check_run(in_turn_.front(), each.second, step_, run_engine(in_turn_, each.first, step_)); });
    }
    run_all(tasks);
  }

  const Prediction& prediction(Checkpointing checkpointing) const {
    return predictions_.at(representative(in_turn_, checkpointing));
  }

  Verdict verdict(const Setup& setup) const {
    Verdict verdict = replays_[place_.at(key(setup))].verdict;
    verdict.setup = setup;
    return verdict;
  }

  const std::vector<std::vector<int>>& buckets(const Setup& setup) const { return replays_[place_.at(key(setup))].buckets; }

 private:
  using Key = std::tuple<Checkpointing, bool, bool>;

  Setup represented(Setup setup) const {
    setup.checkpointing = representative(in_turn_, setup.checkpointing);
    return setup;
  }

  Key key(const Setup& setup) const {
    return {represented(setup).checkpointing, setup.find_unused_parameters, setup.static_graph};
  }

  std::span<const Capture> in_turn_;
  const TrainingStep& step_;
  std::map<Key, std::size_t> place_;  // in setups_ and replays_
  std::vector<Setup> setups_;
  std::vector<Replay> replays_;
  std::map<Checkpointing, Prediction> predictions_;
};

}  // namespace

Report analyse(const Capture& capture, const Setup& setup, const AnalyseOptions& options) {
  return analyse(std::span(&capture, 1), setup, options);
}

Report analyse(std::span<const Capture> in_turn, const Setup& setup, const AnalyseOptions&) {
  std::vector<Setup> setups = setups_to_compare(in_turn, setup);
  Runs runs(in_turn, setup.step);
  runs.add(setup);
  for (const Setup& each : setups) runs.add(each);
  runs.run();

  Replays replays{torch_version(), runs.verdict(setup), runs.buckets(setup), {}};
  for (const Setup& each : setups) replays.verdicts.push_back(runs.verdict(each));
  Predictions predictions{runs.prediction(setup.checkpointing), runs.prediction(Checkpointing::reentrant),
                          runs.prediction(Checkpointing::non_reentrant)};
  return build_report(in_turn, setup, predictions, std::move(replays));
}

}  // namespace gradscan
