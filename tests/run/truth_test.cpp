// What gradscan says of the models of tests/truth/ddp_cases.txt is what the real DistributedDataParallel does with them.
#include "tests/support/catch.h"
#include "tests/support/truth_table.h"

using namespace gradscan::tests;

TEST_CASE("The replay says of every model in training what the real DistributedDataParallel says") {
  check_verdicts(truth_cases());
}

TEST_CASE("The engine fires the hooks of every model in training as often as Python counts") {
  check_firings(truth_cases());
}

TEST_CASE("The replay of an edited capture says what DistributedDataParallel says of the changed model") {
  check_edits(truth_cases());
}
