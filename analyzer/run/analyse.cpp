// analyse() runs everything that needs torch: a backward without DDP for each kind of checkpointing, which checks the predicted
// firings independently of DDP, and a replay for each setup. Setups that build the same graph share a run. as_given shares one
// if all regions are of one kind, and off shares that of non_reentrant: non-reentrant regions are transparent, they leave the
// graph, the firings and DDP's search as they are without checkpointing. They change memory and recomputation, which a replay
// lacks.
//
// Candidate fixes that change only flags and kinds share the runs of the table; the others are replayed on edited captures.
#include "analyzer/run/analyse.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <thread>

#include "analyzer/data/replay_key.h"
#include "analyzer/diagnose/diagnose.h"
#include "analyzer/graph/edits.h"
#include "analyzer/graph/predict.h"
#include "analyzer/repair/fixes.h"
#include "analyzer/replay/agreement.h"
#include "analyzer/report/facts.h"
#include "analyzer/report/price_rows.h"
#include "analyzer/report/report.h"
#include "gradscan/analyse.h"
#include "gradscan/error.h"
#include "gradscan/replay.h"
#include "gradscan/report.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

constexpr std::size_t threads_at_most = 2;

// The kind of checkpointing that represents all those that build the same graph.
Checkpointing representative(std::span<const Capture> in_turn, Checkpointing checkpointing) {
  if (kinds_in(in_turn).empty()) return Checkpointing::non_reentrant;
  if (checkpointing == Checkpointing::as_given && kinds_in(in_turn).size() == 1)
    return kinds_in(in_turn).contains(Kind::reentrant) ? Checkpointing::reentrant : Checkpointing::non_reentrant;
  return checkpointing == Checkpointing::off ? Checkpointing::non_reentrant : checkpointing;
}

// Runs the tasks on a few threads, in order; rethrows the first exception.
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

// The setup that represents all those that build the same graph.
Setup represented(std::span<const Capture> in_turn, Setup setup) {
  setup.checkpointing = representative(in_turn, setup.checkpointing);
  return setup;
}

Verdict with_setup(Verdict verdict, const Setup& setup) {
  verdict.setup = setup;
  return verdict;
}

class Runs {
 public:
  Runs(std::span<const Capture> in_turn, const TrainingStep& step) : in_turn_(in_turn), step_(step) {}

  void add(const Setup& setup) {
    Setup run = represented(in_turn_, setup);
    if (position_.try_emplace(replay_key(run), setups_.size()).second) setups_.push_back(run);
    predictions_.try_emplace(run.checkpointing);
  }

  // Predicts, replays and compares. The short runs without DDP come last, so that both threads finish at about the same time.
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

  // For setups with this step.
  const Prediction& prediction(Checkpointing checkpointing) const {
    return predictions_.at(representative(in_turn_, checkpointing));
  }

  // nullptr if this setup was not run.
  const Replay* replay_of(const Setup& setup) const {
    auto found = position_.find(replay_key(represented(in_turn_, setup)));
    return found == position_.end() ? nullptr : &replays_[found->second];
  }

 private:
  std::span<const Capture> in_turn_;
  const TrainingStep& step_;
  std::map<std::string, std::size_t> position_;  // in setups_ and replays_
  std::vector<Setup> setups_;
  std::vector<Replay> replays_;
  std::map<Checkpointing, Prediction> predictions_;
};

Report report_of_replay(std::span<const Capture> in_turn, const Setup& setup, const Replay& run) {
  auto predicted = [&](Checkpointing checkpointing) { return predict(in_turn, checkpointing, setup.step); };
  Predictions predictions{predicted(setup.checkpointing), predicted(Checkpointing::as_given),
                          predicted(Checkpointing::reentrant), predicted(Checkpointing::non_reentrant)};
  check_replay(in_turn.front(), predictions.asked, run);
  return diagnosed(in_turn, setup, predictions, {torch_version(), with_setup(run.verdict, setup), run.buckets, {}});
}

// The replays and reports of one call of analyse().
class Analysis {
 public:
  Analysis(std::span<const Capture> in_turn, const Setup& setup)
      : in_turn_(in_turn), setup_(setup), rows_(setups_to_compare(in_turn, setup)), runs_(in_turn, setup_.step) {
    runs_.add(setup);
    for (const Setup& row : rows_) runs_.add(row);
    runs_.run();
  }

  Report report() const { return report_of(setup_); }

  // Of all rows of the table.
  std::vector<Report> reports_of_rows() const {
    std::vector<Report> reports(rows_.size());
    std::vector<std::function<void()>> tasks;
    for (std::size_t at = 0; at < rows_.size(); ++at)
      tasks.push_back([this, at, &reports] { reports[at] = report_of(rows_[at]); });
    run_all(tasks);
    return reports;
  }

  // Equal candidates are tried once. Kinds whose replays are equal may still differ in what a second run of a region does.
  std::vector<Trial> try_all(const std::vector<Candidate>& candidates) const {
    std::map<std::string, Trial> trials;
    std::vector<std::string> keys;
    std::vector<std::function<void()>> tasks;
    for (const Candidate& candidate : candidates) {
      keys.push_back(replay_key(candidate.setup) + replay_key(candidate.edits));
      auto [made, is_new] = trials.try_emplace(keys.back());
      if (is_new) tasks.push_back([this, &candidate, &trial = made->second] { trial = tried(candidate); });
    }
    run_all(tasks);
    std::vector<Trial> result;
    for (const std::string& key : keys) result.push_back(trials.at(key));
    return result;
  }

 private:
  Report report_of(const Setup& setup) const {
    const Replay& run = *runs_.replay_of(setup);
    Replays replays{torch_version(), with_setup(run.verdict, setup), run.buckets, {}};
    for (const Setup& row : rows_) replays.verdicts.push_back(with_setup(runs_.replay_of(row)->verdict, row));
    Predictions predictions{runs_.prediction(setup.checkpointing), runs_.prediction(Checkpointing::as_given),
                            runs_.prediction(Checkpointing::reentrant), runs_.prediction(Checkpointing::non_reentrant)};
    return diagnosed(in_turn_, setup, predictions, std::move(replays));
  }

  // The effect of an edit may be unknown.
  Trial tried(const Candidate& candidate) const try { return trial_of(try_out(candidate)); } catch (const Error& error) {
    if (error.failure() != Failure::usage) throw;
    return {.failure = error.what()};
  }

  Report try_out(const Candidate& candidate) const {
    if (!candidate.edits.empty()) return report_of_one(edited(in_turn_, candidate.edits), candidate.setup);
    const Replay* known = runs_.replay_of(candidate.setup);
    return known ? report_of_replay(in_turn_, candidate.setup, *known) : report_of_one(in_turn_, candidate.setup);
  }

  std::span<const Capture> in_turn_;
  Setup setup_;
  std::vector<Setup> rows_;
  Runs runs_;
};

}  // namespace

Report report_of_one(std::span<const Capture> in_turn, const Setup& setup) {
  return report_of_replay(in_turn, setup, replay(in_turn, setup));
}

Report analyse(const Capture& capture, const Setup& setup, const AnalyseOptions& options) {
  return analyse(graphs_of(capture), setup, options);
}

Report analyse(std::span<const Capture> in_turn, const Setup& setup, const AnalyseOptions& options) {
  Analysis analysis(in_turn, setup);
  Report report = analysis.report();
  add_fixes(in_turn, report, [&](const std::vector<Candidate>& candidates) { return analysis.try_all(candidates); });
  if (options.every_setup) report.setups = analysis.reports_of_rows();
  add_prices(report, in_turn, options);
  add_smaller_batch(report);
  return report;
}

}  // namespace gradscan
