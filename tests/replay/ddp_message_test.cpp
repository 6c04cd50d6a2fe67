// The messages are those of DDP in torch 2.13, shortened where nothing is read from them.
#include "analyzer/replay/ddp_message.h"

#include <string>

#include "analyzer/data/rules.h"
#include "tests/support/catch.h"

using namespace gradscan;

TEST_CASE("a second ready mark: the message names one parameter") {
  const char* message =
      "Expected to mark a variable ready only once. This error is caused by one of the following reasons: 1) ...\n"
      "Parameter at index 432 with name layer4.2.bn3.weight has been marked as ready twice. This means ...";
  CHECK(outcome_of(message) == Outcome::marked_ready_twice);
  CHECK(parameters_named_in(message) == std::vector<int>{432});
}

TEST_CASE("an unfinished reduction: the message lists names, then indices") {
  const char* message =
      "Expected to have finished reduction in the prior iteration before starting a new one. This error indicates ...\n"
      "Parameters which did not receive grad for rank 0: dead 1: bias, dead.weight\n"
      "Parameter indices which did not receive grad for rank 0: 12 13";
  CHECK(outcome_of(message) == Outcome::unfinished_reduction);
  CHECK(parameters_named_in(message) == std::vector<int>{12, 13});
}

TEST_CASE("a changed graph") {
  CHECK(outcome_of("Your training graph has changed in this iteration, e.g., one parameter is used ...") ==
        Outcome::graph_changed);
}

TEST_CASE("other messages name nobody") {
  CHECK(outcome_of("Trying to backward through the graph a second time") == Outcome::other);
  CHECK(parameters_named_in("").empty());
  CHECK(parameters_named_in("Parameter at index").empty());
  CHECK(parameters_named_in("Parameter at index x").empty());
  CHECK(parameters_named_in("Parameter indices which did not receive grad for rank 0:").empty());
}

TEST_CASE("a list of 100,000 parameters") {
  std::string message = "Parameter indices which did not receive grad for rank 0:";
  for (int index = 0; index < 100000; ++index) message += ' ' + std::to_string(index);
  CHECK(parameters_named_in(message).size() == 100000);
}
