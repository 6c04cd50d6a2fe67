#include "analyzer/report/report.h"

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::capture_from_text;
using tests::case_named;
using tests::report_from_marks;

TEST_CASE("firings by kind, marks by flag") {
  Report report = report_from_marks(case_named("twice"));
  const ParameterReport* weight = find_parameter(report, "l2.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->index == 2);
  CHECK(weight->firings.reentrant == 2);
  CHECK(weight->firings.non_reentrant == 1);
  CHECK(weight->firings.off == 1);
  CHECK(weight->ready_marks.defaults == 2);
  CHECK(weight->ready_marks.find_unused_parameters == 3);
  CHECK(weight->ready_marks.static_graph == 1);
  CHECK(weight->fired_by == std::vector<Cause>{0, 1});
  CHECK(weight->used_in == std::vector<int>{0, 1});
  CHECK_FALSE(weight->seen_by_search);
}

TEST_CASE("a file of another torch is noted, one of the same release is not") {
  Capture capture = case_named("once");
  capture.written_by = "2.13.0+cpu";
  CHECK(report_from_marks(capture).notes.empty());
  capture.written_by = "2.9.1";
  REQUIRE(report_from_marks(capture).notes.size() == 1);
  CHECK(report_from_marks(capture).notes[0].find("written by torch 2.9.1, but this report says what torch 2.13.0") !=
        std::string::npos);
}

TEST_CASE("a parameter is found by index, name and alias") {
  Report report = report_from_marks(case_named("tied_across_region_edge"));
  const ParameterReport* first = find_parameter(report, "first.weight");
  REQUIRE(first != nullptr);
  CHECK(find_parameter(report, "last.weight") == first);
  CHECK(find_parameter(report, "0") == first);
  CHECK(find_parameter(report, "3") == nullptr);
  CHECK(find_parameter(report, "") == nullptr);
}

TEST_CASE("a number is an index; with DDP's dot before it, it is a name") {
  Capture capture = case_named("once");
  capture.parameters[0].name = "1";
  Report report = report_from_marks(capture);
  CHECK(find_parameter(report, "1")->index == 1);
  CHECK(find_parameter(report, ".1")->index == 0);
  CHECK(find_parameter(report, "1x") == nullptr);
}

TEST_CASE("a weight that is a region's argument is used outside of it") {
  Report report = report_from_marks(case_named("weight_as_argument"));
  CHECK(find_parameter(report, "l2.weight")->used_in == std::vector<int>{none});
  CHECK(find_parameter(report, "l2.bias")->used_in.empty());
}

TEST_CASE("regions: what is used inside, what is executed") {
  Report report = report_from_marks(case_named("nested"));
  REQUIRE(report.regions.size() == 2);
  CHECK(report.regions[0].parameters == std::vector<int>{2, 3, 4, 5});
  CHECK(report.regions[1].parameters == std::vector<int>{4, 5});
  CHECK(report.regions[1].parent == 0);
  CHECK(report.regions[0].executed);

  report = report_from_marks(case_named("input_without_grad"));
  CHECK_FALSE(report.regions[0].executed);
  CHECK(report.regions[0].arguments == 1);
  CHECK(report.regions[0].arguments_without_grad == std::vector<int>{0});
}

TEST_CASE("a region's price: each activation once, no parameters") {
  Capture capture = case_named("once");
  capture.storages = {{100, true}, {1000, false}, {10, true}, {1, true}};
  const Region& region = capture.regions[0];
  for (int id = region.begin + 1; id < region.end; ++id) {
    if (capture.nodes[id].role != Role::operation) continue;
    capture.nodes[id].saved = {0, 1, 2};
    capture.nodes[id].forward_flops = 7;
  }
  capture.nodes[region.begin - 1].saved = {3};
  int operations = 0;
  for (int id = region.begin; id <= region.end; ++id) operations += capture.nodes[id].role == Role::operation;
  Report report = report_from_marks(capture);
  CHECK(report.regions[0].saved_bytes == 110);
  CHECK(report.regions[0].recompute_flops == 7 * operations);
}

TEST_CASE("a region's price holds that of its nested regions, and still each activation once") {
  Capture capture = capture_from_text(R"(
    parameter a.weight a.bias b.weight b.bias c.weight c.bias
    input x
    region outer reentrant x
      x = linear x a
      region first reentrant x
        x = linear x b
      end x
      region second reentrant x
        x = linear x c
      end x
    end x
    output x
  )");
  capture.storages = {{1, true}, {10, true}, {100, true}};
  std::vector<int> region_of = innermost_regions(capture);
  const std::vector<std::vector<int>> saved{{0, 1}, {1, 2}, {2, 1}};  // by outer, first and second
  for (std::size_t id = 0; id < capture.nodes.size(); ++id)
    if (capture.nodes[id].role == Role::operation && region_of[id] != none) {
      capture.nodes[id].saved = saved[region_of[id]];
      capture.nodes[id].forward_flops = 1;
    }
  Report report = report_from_marks(capture);
  CHECK(report.regions[0].saved_bytes == 111);
  CHECK(report.regions[1].saved_bytes == 110);
  CHECK(report.regions[2].saved_bytes == 110);
  CHECK(report.regions[0].recompute_flops > report.regions[1].recompute_flops + report.regions[2].recompute_flops);
}

TEST_CASE("the table has nine rows, and three more where the file mixes kinds") {
  CHECK(report_from_marks(case_named("once")).verdicts.size() == 9);
  Capture mixed = case_named("twice");
  mixed.regions[1].kind = Kind::non_reentrant;
  Report report = report_from_marks(mixed);
  REQUIRE(report.verdicts.size() == 12);
  CHECK(report.verdicts[0].setup.checkpointing == Checkpointing::as_given);
  CHECK(report.verdicts[1].setup.find_unused_parameters);
  CHECK(report.verdicts[2].setup.static_graph);
  CHECK(report.regions[1].kind == Kind::non_reentrant);
}

TEST_CASE("the kinds of the regions are those of the setup asked") {
  Report report = report_from_marks(case_named("twice"), Setup{.checkpointing = Checkpointing::off});
  CHECK(report.regions[0].kind == Kind::off);
  CHECK(report.parameters[2].fired_by == std::vector<Cause>{outer_graph});
  CHECK(report.parameters[2].firings.reentrant == 2);
}

TEST_CASE("frozen parameters are counted, and have no index") {
  Report report = report_from_marks(case_named("chain_dead_head_frozen"));
  CHECK(report.frozen == 2);
  CHECK(find_parameter(report, "dead.weight") == nullptr);
}

TEST_CASE("recomputing a region is also its work on what needs no gradient") {
  for (const char* name : {"Quiet", "FrozenTrunk"}) {
    CAPTURE(name);
    Capture capture = read_capture(std::string("tests/price/") + name + ".capture.json");
    Report report = report_from_marks(capture, Setup{.checkpointing = Checkpointing::reentrant});
    std::vector<RegionPrice> prices = region_prices(capture, Checkpointing::reentrant);
    REQUIRE(report.regions.size() == prices.size());
    std::int64_t sum = 0;
    std::size_t needing_gradient = 0;
    for (std::size_t id = 0; id < prices.size(); ++id) {
      sum += report.regions[id].recompute_flops;
      if (prices[id].flops == 0) continue;
      ++needing_gradient;
      CHECK(report.regions[id].recompute_flops == prices[id].flops);
    }
    CHECK(needing_gradient < prices.size());
    CHECK(sum > 0);
  }
}

TEST_CASE("of custom autograd Functions, what other kinds of checkpointing do is what torch's own would do") {
  Capture capture = case_named("once");
  CHECK(report_from_marks(capture).notes.empty());
  capture.regions[0].origin = RegionOrigin::function;
  REQUIRE(report_from_marks(capture).notes.size() == 1);
  CHECK_THAT(report_from_marks(capture).notes[0], Catch::Matchers::Contains("in the Function's place"));
}

}  // namespace
}  // namespace gradscan
