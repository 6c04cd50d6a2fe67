#include "analyzer/graph/predict.h"

#include "analyzer/replay/agreement.h"
#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;

const Setup find_unused{.find_unused_parameters = true};
const Setup static_graph{.static_graph = true};

Prediction predict_one(const Capture& capture, const TrainingStep& step = {}) {
  return predict(std::span(&capture, 1), Checkpointing::as_given, step);
}

std::vector<int> marks(const std::string& model, const Setup& setup) {
  return ready_marks(predict_one(case_named(model), setup.step), setup).marks;
}

TEST_CASE("ready marks") {
  using Marks = std::vector<int>;
  CHECK(marks("once", {}) == Marks{1, 1, 1, 1});
  CHECK(marks("once", find_unused) == Marks{1, 1, 2, 2});
  CHECK(marks("twice", {}) == Marks{1, 1, 2, 2});
  CHECK(marks("twice", find_unused) == Marks{1, 1, 3, 3});
  CHECK(marks("twice", static_graph) == Marks{1, 1, 1, 1});
  CHECK(marks("plain_unused", {}) == Marks{1, 1, 1, 1, 0, 0});
  CHECK(marks("plain_unused", find_unused) == Marks{1, 1, 1, 1, 1, 1});
}

TEST_CASE("DDP's sink reaches outputs that the loss does not use") {
  using Marks = std::vector<int>;
  CHECK(marks("one_output_unused", {}) == Marks{1, 1, 0, 0});
  CHECK(marks("one_output_unused", find_unused) == Marks{1, 1, 1, 1});
  CHECK(marks("one_output_unused", static_graph) == Marks{1, 1, 0, 0});  // fired in iteration 0, not afterwards
  Prediction prediction = predict_one(case_named("one_output_unused"));
  const Causes &from_loss = prediction.in_turn[0].from_loss.causes, &from_sink = prediction.in_turn[0].from_sink.causes;
  CHECK(firings_in(prediction, find_unused, 3) == from_sink);
  CHECK(firings_in(prediction, static_graph, 0) == from_sink);
  CHECK(firings_in(prediction, static_graph, 1) == from_loss);
  CHECK(firings_in(prediction, {.find_unused_parameters = true, .static_graph = true}, 1) == from_loss);
  CHECK(firings_without_ddp(prediction, {}, 0) == from_loss);
}

TEST_CASE("an engine that shows other firings than predicted is a bug of gradscan") {
  Capture capture = case_named("once");
  Prediction prediction = predict_one(capture);
  EngineRun run{prediction.in_turn[0].from_loss.causes, ""};
  CHECK_NOTHROW(check_run(capture, prediction, {}, run));
  run.causes[3].push_back(0);
  CHECK_THROWS_AS(check_run(capture, prediction, {}, run), Error);
  run.causes[3].clear();
  CHECK_THROWS_AS(check_run(capture, prediction, {}, run), Error);
  run.error = "stopped";
  CHECK_NOTHROW(check_run(capture, prediction, {}, run));
  try {
    run.error.clear();
    check_run(capture, prediction, {}, run);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::internal);
    CHECK(std::string(error.what()).find("parameter 3 (l2.bias)") != std::string::npos);
  }
}

TEST_CASE("every finished iteration of a replay is compared") {
  Capture capture = case_named("one_output_unused");
  Prediction prediction = predict_one(capture);
  Replay replay;
  replay.verdict.setup = static_graph;
  replay.causes = {prediction.in_turn[0].from_sink.causes, prediction.in_turn[0].from_loss.causes};
  CHECK_NOTHROW(check_replay(capture, prediction, replay));
  std::swap(replay.causes[0], replay.causes[1]);
  CHECK_THROWS_AS(check_replay(capture, prediction, replay), Error);
}

}  // namespace
}  // namespace gradscan
