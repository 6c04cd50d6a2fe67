#include "dot/layout/layout.h"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "gradscan/error.h"
#include "tests/support/catch.h"

using namespace gradscan;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Error error_of(const std::function<std::string()>& work, milliseconds limit = seconds(60)) {
  try {
    in_child(work, limit);
  } catch (const Error& error) {
    return error;
  }
  return Error(Failure::usage, "", "nothing failed");
}

}  // namespace

TEST_CASE("in_child brings back what the work returns") {
  CHECK(in_child([] { return std::string("done"); }, seconds(60)) == "done");
}

TEST_CASE("A child that crashes or exits is a failure of Graphviz") {
  CHECK(error_of([]() -> std::string { std::exit(0); }).failure() == Failure::output);
  Error error = error_of([]() -> std::string { std::abort(); });
  CHECK(error.failure() == Failure::output);
  CHECK(error.what() == std::string("Graphviz crashed while laying out the picture"));
}

TEST_CASE("An exception in the child is a bug of gradscan") {
  CHECK(error_of([]() -> std::string { throw std::out_of_range("map::at"); }).failure() == Failure::internal);
}

TEST_CASE("A layout that takes too long is a limit", "[timing]") {
  Error error = error_of(
      []() -> std::string {
        for (;;) ::pause();
      },
      milliseconds(200));
  CHECK(error.failure() == Failure::limit);
  CHECK(error.what() == std::string("Graphviz takes longer than 200 ms to lay out the picture"));
}
