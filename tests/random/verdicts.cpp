// What gradscan says about models, through its library: reads questions as lines of JSON and answers each with a line.
//
//     {"files": ["a.pt"], "in_loss": [true, false], "names": ["reentrant/default"], "setups": [{"checkpointing": "reentrant"}]}
//
// `files` are the captures in turn; `in_loss` says of each output whether the loss is computed from it. The answer has, by
// name, "rows" (one replay for each setup) and, by kind of checkpointing, "alone" (one iteration without DDP). A file that is
// refused, or an internal error, is answered with {"exit": 3, "error": "..."}.
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "gradscan/gradscan.h"

namespace {

using gradscan::Capture;
using gradscan::Checkpointing;
using gradscan::Kind;
using gradscan::Setup;
using gradscan::TrainingStep;
using nlohmann::json;

Checkpointing checkpointing_of(const std::string& name) {
  for (Checkpointing each : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off})
    if (to_string(each) == name) return each;
  return Checkpointing::as_given;
}

Kind kind_of(const std::string& name) {
  for (Kind each : {Kind::reentrant, Kind::non_reentrant})
    if (to_string(each) == name) return each;
  return Kind::off;
}

TrainingStep step_of(const json& step) {
  return {.forwards = step.at("forwards"),
          .backwards = step.at("backwards"),
          .no_sync = step.at("no_sync"),
          .used_outside = step.at("used_outside"),
          .zero_times = step.at("zero_times"),
          .checkpoint_around = kind_of(step.at("checkpoint_around")),
          .set_to_none = step.at("set_to_none")};
}

Setup setup_of(const json& setup, const TrainingStep& step) {
  Setup result;
  result.checkpointing = checkpointing_of(setup.at("checkpointing"));
  result.find_unused_parameters = setup.value("find_unused_parameters", false);
  result.static_graph = setup.value("static_graph", false);
  if (setup.contains("bucket_cap_mb")) result.bucket_cap_mb = setup["bucket_cap_mb"].get<double>();
  result.gradient_as_bucket_view = setup.value("gradient_as_bucket_view", false);
  result.step = step;
  return result;
}

std::vector<Capture> captures_of(const json& question) {
  std::vector<Capture> captures;
  for (const std::string file : question.at("files")) {
    Capture capture = gradscan::capture_file(file);
    for (std::size_t at = 0; at < capture.outputs.size(); ++at)
      capture.outputs[at].in_loss = question.at("in_loss").at(at) && capture.outputs[at].edge.node != gradscan::none;
    captures.push_back(std::move(capture));
  }
  return captures;
}

std::vector<std::size_t> counts_of(const gradscan::Causes& causes) {
  std::vector<std::size_t> counts;
  for (const std::vector<gradscan::Cause>& each : causes) counts.push_back(each.size());
  return counts;
}

json row_of(const gradscan::Replay& replay) {
  const gradscan::Verdict& verdict = replay.verdict;
  json firings = json::array();
  for (const auto& causes : replay.causes) firings.push_back(counts_of(causes));
  return {{"outcome", to_string(verdict.outcome)},
          {"iteration", verdict.iteration ? json(*verdict.iteration) : json()},
          {"message", verdict.message},
          {"parameters", verdict.parameters},
          {"unsynchronised", verdict.unsynchronised},
          {"untrained", verdict.untrained},
          {"firings", firings}};
}

json answer(const json& question) {
  std::vector<Capture> captures = captures_of(question);
  TrainingStep step = step_of(question.at("step"));
  json rows = json::object(), alone = json::object();
  std::set<Checkpointing> analysed;
  for (std::size_t at = 0; at < question.at("setups").size(); ++at) {
    Setup setup = setup_of(question["setups"][at], step);
    rows[question["names"].at(at)] = row_of(replay(captures, setup));
    gradscan::EngineRun run = run_engine(captures, setup.checkpointing, step);
    alone[std::string(to_string(setup.checkpointing))] = {{"firings", counts_of(run.causes)}, {"message", run.error}};
    // Throws where what it predicts is not what it replays.
    if (analysed.insert(setup.checkpointing).second) analyse(captures, setup);
  }
  return {{"rows", rows}, {"alone", alone}};
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json reply;
    try {
      reply = answer(json::parse(line));
    } catch (const gradscan::Error& error) {
      reply = {{"exit", exit_code(error.failure())}, {"error", error.what()}};
    } catch (const std::exception& error) {
      reply = {{"exit", exit_code(gradscan::Failure::internal)}, {"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
}
