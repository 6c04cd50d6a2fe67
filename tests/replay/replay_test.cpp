// What truth_test.cpp leaves open.
#include "gradscan/replay.h"

#include <string>
#include <thread>
#include <vector>

#include "gradscan/analyse.h"
#include "gradscan/firings.h"
#include "gradscan/report.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/truth_table.h"

using namespace gradscan;
using tests::capture_from_text;

namespace {

// The one capture of a model of the truth table.
Capture model(const std::string& name) {
  return tests::truth_cases().at(name).in_turn.front();
}

const std::string two_layers = "parameter l1.weight l1.bias l2.weight l2.bias\ninput x\n";

}  // namespace

TEST_CASE("the engine's firings are the ones that are counted in the graph") {
  for (const auto& [name, training] : tests::truth_cases())
    for (Checkpointing checkpointing : {Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off}) {
      INFO(name << ' ' << to_string(checkpointing));
      const Capture& capture = training.in_turn.front();
      GradGraph graph(capture, checkpointing);
      CHECK(run_engine(capture, checkpointing).causes == count_firings(capture, graph, loss_roots(capture)).causes);
      Replay search = replay(capture, {checkpointing, true});
      for (const auto& causes : search.causes)
        CHECK(causes == count_firings(capture, graph, sink_roots(capture, graph)).causes);
    }
}

TEST_CASE("regions of several kinds, as the capture gives them") {
  Capture capture = capture_from_text(two_layers +
                                      "region a non_reentrant x\nh = linear x l1\nend h\n"
                                      "region b reentrant h\nh = linear h l2\nend h\noutput h");
  CHECK(run_engine(capture, Checkpointing::as_given).causes == Causes{{outer_graph}, {outer_graph}, {1}, {1}});
  CHECK(replay(capture, {.find_unused_parameters = true}).verdict.parameters == std::vector<int>{3});
}

TEST_CASE("all iterations fire alike") {
  Capture capture = model("nested");
  Replay run = replay(capture, {Checkpointing::reentrant, false, true});
  REQUIRE(run.causes.size() == replay_iterations);
  for (const auto& causes : run.causes) CHECK(causes == run_engine(capture, Checkpointing::reentrant).causes);
}

TEST_CASE("gradients that are not averaged are found, those of other parameters are not blamed") {
  Verdict verdict = replay(model("last_bucket_twice"), {Checkpointing::reentrant}).verdict;
  CHECK(verdict.outcome == Outcome::pass);
  CHECK(verdict.unsynchronised == std::vector<int>{0, 1});
  CHECK_FALSE(verdict.clean());
}

TEST_CASE("a closure over an outer activation fails in torch's own words, with and without DDP") {
  Capture capture = capture_from_text(
      two_layers + "h = linear x l1\nregion f reentrant x\ny = linear x l2\ny = add y h\nend y\nz = add y h\noutput z");
  EngineRun plain = run_engine(capture, Checkpointing::as_given);
  CHECK_THAT(plain.error, tests::contains("Trying to backward through the graph a second time"));
  Verdict verdict = replay(capture, {.static_graph = true}).verdict;
  CHECK(verdict.outcome == Outcome::other);
  CHECK(verdict.message == plain.error);
  CHECK(verdict.iteration == 0);
  CHECK(run_engine(capture, Checkpointing::off).error.empty());
}

TEST_CASE("DDP finds tensors in a dataclass but does not put its sink behind them") {
  Capture capture =
      capture_from_text(two_layers + "h = linear x l1\ny = linear x l2\noutput h dataclass\noutput y unused dataclass");
  Replay search = replay(capture, {.find_unused_parameters = true});
  CHECK_THAT(search.verdict.message, tests::contains("Expected to have finished reduction"));
  CHECK(search.causes.front() == Causes{{outer_graph}, {outer_graph}, {}, {}});
  Verdict silent = replay(capture, {.static_graph = true}).verdict;  // nothing starts the all-reduce that it delays
  CHECK(silent.outcome == Outcome::pass);
  CHECK(silent.unsynchronised == std::vector<int>{0, 1});
}

TEST_CASE("a reentrant checkpoint around the model goes backward from all of its outputs") {
  Setup setup{.step = {.checkpoint_around = Kind::reentrant}};
  std::string forward = two_layers + "h = linear x l1\ny = linear x l2\n";
  for (std::string outputs : {"output h\noutput y unused", "output h unused\noutput y unused\noutput x"}) {
    Capture capture = capture_from_text(forward + outputs);
    CHECK(run_engine(capture, Checkpointing::off, setup.step).causes == Causes(4, {around_model}));
    CHECK_NOTHROW(analyse(capture, setup));
  }
  Capture nested = capture_from_text(forward + "output h dataclass\noutput y unused");
  CHECK_THAT(run_engine(nested, Checkpointing::off, setup.step).error, tests::contains("does not require grad"));
}

TEST_CASE("a region whose recomputation needs no gradient fails as in torch") {
  Capture capture = capture_from_text(two_layers + "region f reentrant x\nh = detach x\nend h\nh = linear h l1\noutput h");
  CHECK(run_engine(capture, Checkpointing::as_given).error ==
        "none of output has requires_grad=True, this checkpoint() is not necessary");
}

TEST_CASE("a loss that needs no gradient fails as in torch") {
  Capture capture = capture_from_text(two_layers + "h = detach x\noutput h");
  CHECK(run_engine(capture, Checkpointing::off).error ==
        "element 0 of tensors does not require grad and does not have a grad_fn");
}

TEST_CASE("a model without parameters that require grad is refused as DDP refuses it") {
  Verdict verdict = replay(capture_from_text("frozen l1.weight l1.bias\ninput x\nh = linear x l1\noutput h"), {}).verdict;
  CHECK(verdict.outcome == Outcome::other);
  CHECK_THAT(verdict.message, tests::contains("doesn't have any parameters that require a gradient"));
}

TEST_CASE("regions nested more deeply than the engine's own limit for one thread") {
  std::string text = "parameter b\ninput x\n";
  for (int i = 0; i < 200; ++i) text += "region r reentrant x\n";
  text += "x = mul x b\n";
  for (int i = 0; i < 200; ++i) text += "end x\n";
  Capture capture = capture_from_text(text + "output x");
  CHECK(run_engine(capture, Checkpointing::as_given).causes == Causes{{199}});
  CHECK(replay(capture, {}).verdict.clean());
}

TEST_CASE("a chain of 100,000 operations or regions needs no stack") {
  std::string text = "parameter b\ninput x\nx = mul x b\n";
  for (int i = 0; i < 100000; ++i) text += "region f reentrant x\nx = mul x b\nend x\n";
  Capture capture = capture_from_text(text + "output x");
  CHECK(run_engine(capture, Checkpointing::off).causes == Causes{{outer_graph}});
  CHECK(run_engine(capture, Checkpointing::reentrant).causes[0].size() == 100001);
}

TEST_CASE("several replays at the same time") {
  Capture capture = model("chain");
  auto message = [&] { return replay(capture, {Checkpointing::reentrant, true}).verdict.message; };
  std::string alone = message(), beside;
  std::thread thread([&] {
    for (int i = 0; i < 20; ++i) beside = message();
  });
  for (int i = 0; i < 20; ++i) CHECK(message() == alone);
  thread.join();
  CHECK(beside == alone);
}
