#include "analyzer/command/isolate.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <new>
#include <thread>

#include "gradscan/error.h"
#include "tests/catch.h"

using namespace gradscan;
using Catch::Matchers::Contains;
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

TEST_CASE("The result comes back, however large and whatever it holds") {
  CHECK(isolate("m.pt", seconds(60), [] { return std::string(); }).empty());
  std::string large(10'000'000, '\0');
  large += "\n\xff";
  CHECK(isolate("m.pt", seconds(60), [&] { return large; }) == large);
}

TEST_CASE("The work is done in another process") {
  int touched = 0;
  std::string pid = isolate("m.pt", seconds(60), [&] { return touched = 1, std::to_string(::getpid()); });
  CHECK(touched == 0);
  CHECK(pid != std::to_string(::getpid()));
}

TEST_CASE("An Error keeps its line and its failure") {
  Error error = failure_of([] { throw Error(Failure::not_a_model, " a\nb", "is  empty", "copy it"); });
  CHECK(error.failure() == Failure::not_a_model);
  CHECK(error.what() == std::string(" a\\nb: is  empty: copy it"));
}

TEST_CASE("A crash is a failure of the model and names the signal") {
  Error error = failure_of([] { ::raise(SIGSEGV); });
  CHECK(error.failure() == Failure::model_failed);
  CHECK_THAT(error.what(), StartsWith("m.pt: the model crashed while it was loaded or run (SIGSEGV): "));
  CHECK_THAT(failure_of([] { ::raise(SIGABRT); }).what(), Contains("(SIGABRT)"));
}

TEST_CASE("A model that ends the process has failed") {
  CHECK(failure_of([] { ::_exit(0); }).failure() == Failure::model_failed);
  CHECK(failure_of([] { ::_exit(3); }).failure() == Failure::model_failed);
}

TEST_CASE("The time limit stops the work") {
  auto start = std::chrono::steady_clock::now();
  Error error = failure_of([] { std::this_thread::sleep_for(seconds(60)); }, seconds(1));
  CHECK(error.failure() == Failure::limit);
  CHECK(error.what() == std::string("m.pt: the model took longer than 1 s to load and run: allow more with --time-limit"));
  CHECK(std::chrono::steady_clock::now() - start < seconds(20));
}

TEST_CASE("Memory that runs out is a limit") {
  CHECK(failure_of([] { throw std::bad_alloc(); }).failure() == Failure::limit);
  CHECK(failure_of([] { ::raise(SIGKILL); }).failure() == Failure::limit);
}

TEST_CASE("An unexpected exception is a bug of gradscan") {
  Error error = failure_of([] { throw std::out_of_range("vector"); });
  CHECK(error.failure() == Failure::internal);
  CHECK_THAT(error.what(), Contains("vector"));
}

TEST_CASE("What the model prints is not seen, and it can read nothing") {
  for (const char* standard : {"/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"})
    CHECK(isolate("m.pt", seconds(60), [&] { return std::filesystem::read_symlink(standard).string(); }) == "/dev/null");
}
