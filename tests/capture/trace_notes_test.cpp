#include "analyzer/capture/trace_notes.h"

#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using Notes = std::vector<std::string>;

namespace {

Capture two_calls(RegionOrigin origin) {
  Capture capture = tests::capture_from_text(R"(
    parameter table.weight a.weight a.bias
    input x y
    region head reentrant x table.weight
      x = mul x table.weight
    end x
    region tail reentrant x
      x = linear x a
    end x
    output x
  )");
  for (Region& region : capture.regions) region.origin = origin;
  return capture;
}

}  // namespace

TEST_CASE("A trace leaves open what a module that is a region is called with") {
  Notes notes{
      "head is traced with table.weight, a parameter of another module: it is taken to be an argument of the checkpointed "
      "call",
      "a trace does not distinguish a list of tensors from separate ones: the arguments of head are taken to be separate "
      "tensors"};
  CHECK(trace_notes(two_calls(RegionOrigin::pattern)) == notes);
  CHECK(trace_notes(two_calls(RegionOrigin::wrapper)) == notes);
}

TEST_CASE("A marker leaves nothing open") {
  CHECK(trace_notes(two_calls(RegionOrigin::marker)).empty());
}
