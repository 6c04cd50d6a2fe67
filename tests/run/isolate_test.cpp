#include "analyzer/run/isolate.h"

#include <unistd.h>

#include <csignal>
#include <new>
#include <stdexcept>
#include <thread>

#include "gradscan/error.h"
#include "tests/support/catch.h"

using namespace gradscan;
using Catch::Matchers::StartsWith;
using std::chrono::seconds;

namespace {

// The Error that isolate() throws.
Error failure_of(const std::function<void()>& work, std::chrono::milliseconds limit = seconds(60)) {
  try {
    isolate("m.pt", limit, [&] { return work(), "done"; });
  } catch (const Error& error) {
    return error;
  }
  return Error(Failure::usage, "", "nothing failed");
}

}  // namespace

TEST_CASE("isolate returns what the work returns, and throws what it throws") {
  CHECK(isolate("m.pt", seconds(60), [] { return std::string("done"); }) == "done");
  Error error = failure_of([] { throw Error(Failure::not_a_model, " a\nb", "is  empty", "copy it"); });
  CHECK(error.failure() == Failure::not_a_model);
  CHECK(error.what() == std::string(" a\\nb: is  empty: copy it"));
}

TEST_CASE("A crash is a failure of the model and names the signal") {
  Error error = failure_of([] { ::raise(SIGSEGV); });
  CHECK(error.failure() == Failure::model_failed);
  CHECK_THAT(error.what(), StartsWith("m.pt: the model crashed while loading or running (SIGSEGV): "));
}

TEST_CASE("A model that ends the process has failed") {
  CHECK(failure_of([] { ::_exit(0); }).failure() == Failure::model_failed);
}

TEST_CASE("A model that takes too long is stopped", "[timing]") {
  Error error = failure_of([] { std::this_thread::sleep_for(seconds(60)); }, seconds(1));
  CHECK(error.failure() == Failure::limit);
  CHECK(error.what() == std::string("m.pt: the model took longer than 1 s to load and run: allow more with --time-limit"));
}

TEST_CASE("A model that needs too much memory hits a limit, whoever says so") {
  CHECK(failure_of([] { throw std::bad_alloc(); }).failure() == Failure::limit);
  CHECK(failure_of([] { ::raise(SIGKILL); }).failure() == Failure::limit);
}

TEST_CASE("An unexpected exception is a bug of gradscan") {
  Error error = failure_of([] { throw std::out_of_range("vector"); });
  CHECK(error.failure() == Failure::internal);
  CHECK_THAT(error.what(), StartsWith("m.pt: vector: this is a bug in gradscan"));
}
