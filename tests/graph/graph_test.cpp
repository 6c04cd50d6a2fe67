#include "gradscan/graph.h"

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using tests::capture_from_text;

namespace {

std::vector<int> next_of(const GradGraph& graph, int vertex) {
  std::vector<int> result;
  for (auto [edge, end] = out_edges(static_cast<std::uint32_t>(vertex), graph.edges()); edge != end; ++edge)
    result.push_back(static_cast<int>(target(*edge, graph.edges())));
  return result;
}

// Numbers:              0 parameter w, 1 leaf x, 2 begin, 3 mul, 4 end, 5 relu
const std::string one_region = "parameter w\ninput x\nregion r reentrant x\nh = mul x w\nend h\ny = relu h\noutput y";

}  // namespace

TEST_CASE("a reentrant region is one vertex of the outer graph, with its inside beside it") {
  GradGraph graph(capture_from_text(one_region), Checkpointing::as_given);
  CHECK(next_of(graph, 5) == std::vector<int>{4});
  CHECK(next_of(graph, 4) == std::vector<int>{1});
  CHECK(graph.region_of(4) == 0);
  CHECK(graph.inner_roots(0) == std::vector<int>{3});
  CHECK(next_of(graph, 3) == std::vector<int>{2, 0});
  CHECK(next_of(graph, 2).empty());
}

TEST_CASE("other regions are transparent") {
  for (Checkpointing kind : {Checkpointing::non_reentrant, Checkpointing::off}) {
    GradGraph graph(capture_from_text(one_region), kind);
    CHECK(next_of(graph, 5) == std::vector<int>{3});
    CHECK(next_of(graph, 3) == std::vector<int>{1, 0});
    CHECK(next_of(graph, 4).empty());
    CHECK(graph.region_of(4) == none);
    CHECK(graph.inner_roots(0).empty());
  }
}

TEST_CASE("parallel edges are kept") {
  GradGraph graph(capture_from_text("parameter w\ny = mul w w\noutput y"), Checkpointing::off);
  CHECK(next_of(graph, 1) == std::vector<int>{0, 0});
}

TEST_CASE("what does not require grad has no edges") {
  Capture capture =
      capture_from_text("parameter w\nx = detach w\nregion r reentrant x\nh = mul x w\nend h\ny = relu h\noutput y");
  GradGraph reentrant(capture, Checkpointing::reentrant);
  CHECK(reentrant.target(capture.outputs[0].edge) == none);
  GradGraph off(capture, Checkpointing::off);
  CHECK(off.target(capture.outputs[0].edge) == 4);
}

TEST_CASE("kinds may be mixed") {
  Capture capture = capture_from_text(
      "parameter w\ninput x\nregion a reentrant x\nh = mul x w\nend h\nregion b non_reentrant h\nh = mul h w\nend h\noutput h");
  GradGraph graph(capture, Checkpointing::as_given);
  CHECK(graph.inner_roots(0).size() == 1);
  CHECK(graph.inner_roots(1).empty());
}
