#include "analyzer/base/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gradscan/error.h"
#include "tests/support/catch.h"

using namespace gradscan;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ChildEnd end_of(const std::function<std::string()>& work, milliseconds limit = seconds(60)) {
  return run_in_child("m.pt", limit, work);
}

std::string result_of(const std::function<std::string()>& work) {
  return end_of(work).result.value_or("no result");
}

std::string hang() {
  for (;;) ::pause();
}

// The Error that comes back.
Error error_of(const std::function<void()>& work) {
  try {
    end_of([&] { return work(), "done"; });
  } catch (const Error& error) {
    return error;
  }
  return Error(Failure::usage, "", "nothing was thrown");
}

bool has_children() {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

int open_files() {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

}  // namespace

TEST_CASE("A result comes back, however large and whatever it holds") {
  CHECK(result_of([] { return std::string(); }).empty());
  CHECK(result_of([] { return std::string("\0\n\xff", 3); }) == std::string("\0\n\xff", 3));
  std::string large(10'000'000, 'x');
  CHECK(result_of([&] { return large; }) == large);
}

TEST_CASE("The work is done in another process, which is gone afterwards") {
  int touched = 0, open_before = open_files();
  std::string pid = result_of([&] { return touched = 1, std::to_string(::getpid()); });
  CHECK(touched == 0);
  CHECK(pid != std::to_string(::getpid()));
  CHECK_FALSE(has_children());
  CHECK(open_files() == open_before);
}

TEST_CASE("An Error keeps its failure and its line") {
  Error error = error_of([] { throw Error(Failure::not_a_model, "a.pt", "is empty", "copy it"); });
  CHECK(error.failure() == Failure::not_a_model);
  CHECK(error.what() == std::string("a.pt: is empty: copy it"));
  CHECK_FALSE(has_children());
}

TEST_CASE("Another exception is a bug of gradscan, of which the first line is told") {
  Error error = error_of([] { throw std::runtime_error("no such key\nframe #0: in libtorch.so"); });
  CHECK(error.failure() == Failure::internal);
  CHECK(error.what() == std::string("m.pt: no such key: this is a bug in gradscan: please report it, with the file that "
                                    "--save-capture writes"));
}

TEST_CASE("Memory that is used up is a limit") {
  Error error = error_of([] { throw std::bad_alloc(); });
  CHECK(error.failure() == Failure::limit);
  CHECK(error.what() == std::string("m.pt: there is not enough memory: use a machine with more memory"));
}

TEST_CASE("A child without result says what has ended it") {
  for (int signal : {SIGSEGV, SIGABRT, SIGKILL}) {
    ChildEnd end = end_of([&]() -> std::string { return ::raise(signal), "done"; });
    CHECK(end.signal == signal);
    CHECK_FALSE(end.result);
    CHECK_FALSE(end.time_over);
  }
  for (int code : {0, 3}) {
    ChildEnd end = end_of([&]() -> std::string { ::_exit(code); });
    CHECK_FALSE(end.result);
    CHECK_FALSE(end.time_over);
    CHECK(end.signal == 0);
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("The time limit stops the work, and not before", "[timing]") {
  auto start = std::chrono::steady_clock::now();
  CHECK(end_of(hang, milliseconds(300)).time_over);
  auto taken = std::chrono::steady_clock::now() - start;
  CHECK(taken >= milliseconds(300));
  CHECK(taken < seconds(10));
  CHECK_FALSE(has_children());
}

TEST_CASE("A child reads nothing and prints nowhere") {
  for (const char* standard : {"/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"})
    CHECK(result_of([&] { return std::filesystem::read_symlink(standard).string(); }) == "/dev/null");
}

TEST_CASE("A process whose standard streams are closed gets its result all the same") {
  ChildEnd end = end_of([] {
    for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(standard);
    return run_in_child("", seconds(60), [] { return std::string("inner"); }).result.value_or("no result");
  });
  CHECK(end.result == "inner");
}

TEST_CASE("Several threads may have children at a time") {
  std::array<std::string, 8> results;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([i, &results] { results[i] = result_of([i] { return std::to_string(i); }); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i] == std::to_string(i));
}
