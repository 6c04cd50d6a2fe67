// Expectations are what torch 2.13 does: hooks counted on the real model of each shape (tests/truth/ has the measured rows).
#include "gradscan/firings.h"

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using tests::capture_from_text;

namespace {

const std::string two_layers = "parameter l1.weight l1.bias l2.weight l2.bias\ninput x\n";

Firings count(const Capture& capture, Checkpointing checkpointing = Checkpointing::as_given) {
  GradGraph graph(capture, checkpointing);
  return count_firings(capture, graph, loss_roots(capture));
}

std::vector<bool> seen(const Capture& capture, Checkpointing checkpointing = Checkpointing::as_given) {
  return seen_by_search(capture, GradGraph(capture, checkpointing));
}

}  // namespace

TEST_CASE("a parameter outside of regions fires once, however often it is used") {
  Capture capture = capture_from_text(two_layers + "h = linear x l1\nh = linear h l1\nh = linear h l2\noutput h");
  CHECK(count(capture).causes == Causes(4, {outer_graph}));
  CHECK(seen(capture) == std::vector<bool>(4, true));
}

TEST_CASE("a region's parameters fire in its inner backward, where the search does not see them") {
  Capture capture = capture_from_text(two_layers + "h = linear x l1\nregion l2 reentrant h\nh = linear h l2\nend h\noutput h");
  Firings firings = count(capture);
  CHECK(firings.causes == Causes{{outer_graph}, {outer_graph}, {0}, {0}});
  CHECK(firings.executed == std::vector<bool>{true});
  CHECK(seen(capture) == std::vector<bool>{true, true, false, false});

  CHECK(count(capture, Checkpointing::off).causes == Causes(4, {outer_graph}));
  CHECK(count(capture, Checkpointing::non_reentrant).executed == std::vector<bool>{false});
  CHECK(seen(capture, Checkpointing::non_reentrant) == std::vector<bool>(4, true));
}

TEST_CASE("every region that uses a parameter fires it once more") {
  Capture twice = capture_from_text(two_layers +
                                    "h = linear x l1\nregion a reentrant h\nh = linear h l2\nend h\n"
                                    "region b reentrant h\nh = linear h l2\nend h\noutput h");
  CHECK(count(twice).causes == Causes{{outer_graph}, {outer_graph}, {0, 1}, {0, 1}});

  Capture inside_and_outside = capture_from_text(
      two_layers + "h = linear x l1\nregion a reentrant h\nh = linear h l2\nend h\nh = linear h l2\noutput h");
  CHECK(count(inside_and_outside).causes == Causes{{outer_graph}, {outer_graph}, {outer_graph, 0}, {outer_graph, 0}});
}

TEST_CASE("a weight passed as an argument is an outer use") {
  Capture capture =
      capture_from_text(two_layers + "h = linear x l1\nregion f reentrant h l2.weight\nh = mm h l2.weight\nend h\noutput h");
  CHECK(count(capture).causes == Causes{{outer_graph}, {outer_graph}, {outer_graph}, {}});
}

TEST_CASE("a region without an argument that requires grad is not executed") {
  Capture capture =
      capture_from_text(two_layers + "d = detach x\nregion l1 reentrant d\nh = linear d l1\nend h\nh = linear h l2\noutput h");
  Firings firings = count(capture);
  CHECK(firings.causes == Causes{{}, {}, {outer_graph}, {outer_graph}});
  CHECK(firings.executed == std::vector<bool>{false});
  CHECK(count(capture, Checkpointing::off).causes == Causes(4, {outer_graph}));
}

TEST_CASE("a region's outputs require grad if an argument does, even where its function detaches them") {
  Capture capture =
      capture_from_text(two_layers + "h = linear x l1\nregion f reentrant h\nh = detach h\nend h\nh = relu h\noutput h");
  CHECK(seen(capture) == std::vector<bool>{true, true, false, false});
  CHECK(seen(capture, Checkpointing::off) == std::vector<bool>(4, false));
  CHECK(count(capture, Checkpointing::off).causes == Causes(4));
}

TEST_CASE("a region that the loss does not reach is not executed, an unused output of an executed one is differentiated") {
  Capture unused = capture_from_text(two_layers + "h = linear x l1\nregion f reentrant h\ny = linear h l2\nend y\noutput h");
  CHECK(count(unused).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});

  Capture one_of_two =
      capture_from_text(two_layers + "region f reentrant x\na = linear x l1\nb = linear x l2\nend a b\noutput a");
  CHECK(count(one_of_two).causes == Causes(4, {0}));
  CHECK(count(one_of_two, Checkpointing::off).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});
}

TEST_CASE("an output nested in a dict comes back from a reentrant region without grad") {
  Capture capture =
      capture_from_text(two_layers + "region f reentrant x\na = linear x l1\nb = linear x l2\nend a {b}\noutput b");
  CHECK(count(capture).causes == Causes(4));
  CHECK(count(capture, Checkpointing::off).causes == Causes{{}, {}, {outer_graph}, {outer_graph}});
}

TEST_CASE("an argument or outer tensor that a reentrant region returns in a dict keeps its own history") {
  Capture argument =
      capture_from_text(two_layers + "h = linear x l1\nregion f reentrant h\na = linear h l2\nend a {h}\noutput h");
  CHECK(count(argument).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});

  Capture closure =
      capture_from_text(two_layers + "h = linear x l1\nregion f reentrant x\na = linear x l2\nend a {h}\noutput h");
  CHECK(count(closure).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});

  Capture also_at_top_level =
      capture_from_text(two_layers + "region f reentrant x\na = linear x l1\nb = relu a\nend a {a}\noutput a");
  CHECK(count(also_at_top_level).causes == Causes{{0}, {0}, {}, {}});
}

TEST_CASE("a parameter inside nested regions fires once, because of the innermost") {
  Capture capture =
      capture_from_text(two_layers +
                        "region outer reentrant x\nh = linear x l1\nregion inner reentrant h\nh = linear h l2\nend h\n"
                        "end h\noutput h");
  CHECK(count(capture).causes == Causes{{0}, {0}, {1}, {1}});
}

TEST_CASE("a closure's inner backward walks on into the outer graph, which then cannot run again") {
  Capture capture = capture_from_text(
      two_layers + "h = linear x l1\nregion f reentrant x\ny = linear x l2\ny = add y h\nend y\nz = add y h\noutput z");
  Firings firings = count(capture);
  CHECK(firings.causes == Causes{{outer_graph, 0}, {outer_graph, 0}, {0}, {0}});
  REQUIRE(firings.runs_twice);
  CHECK(capture.nodes[*firings.runs_twice].op == "addmm");
}

TEST_CASE("DDP's sink sends a gradient to every output that DDP finds") {
  Capture capture = capture_from_text(two_layers + "a = linear x l1\nb = linear x l2\noutput a\noutput b unused");
  GradGraph graph(capture, Checkpointing::off);
  CHECK(count_firings(capture, graph, loss_roots(capture)).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});
  CHECK(count_firings(capture, graph, sink_roots(capture, graph)).causes == Causes(4, {outer_graph}));
  CHECK(seen(capture) == std::vector<bool>(4, true));
}

TEST_CASE("an output in which DDP finds no tensor is neither searched nor sent through the sink") {
  Capture capture = capture_from_text(two_layers + "h = linear x l1\noutput h hidden");
  GradGraph graph(capture, Checkpointing::off);
  CHECK(seen(capture) == std::vector<bool>(4, false));
  CHECK(count_firings(capture, graph, sink_roots(capture, graph)).causes == Causes{{outer_graph}, {outer_graph}, {}, {}});
}

TEST_CASE("the search does not see a parameter that is itself returned") {
  Capture capture = capture_from_text("parameter b l1.weight l1.bias\ninput x\nh = linear x l1\noutput h\noutput b");
  CHECK(seen(capture) == std::vector<bool>{false, true, true});
  CHECK(count(capture).causes == Causes(3, {outer_graph}));
}

TEST_CASE("a model without nodes has no firings") {
  Capture capture;
  CHECK(count(capture).causes.empty());
  CHECK(seen(capture).empty());
}

TEST_CASE("a chain of 200,000 nested regions needs no stack") {
  std::string text = "parameter b\ninput x\n";
  constexpr int depth = 200000;
  for (int i = 0; i < depth; ++i) text += "region r reentrant x\n";
  text += "x = mul x b\n";
  for (int i = 0; i < depth; ++i) text += "end x\n";
  Capture capture = capture_from_text(text + "output x");
  CHECK(count(capture).causes == Causes{{depth - 1}});
}
