#include "dot/layout.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gradscan/error.h"
#include "tests/catch.h"

using namespace gradscan;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Failure failure_of(const std::function<std::string()>& work, milliseconds limit = seconds(20)) {
  try {
    in_child(work, limit);
  } catch (const Error& error) {
    return error.failure();
  }
  return Failure::internal;  // no error at all
}

std::string hang() {
  for (;;) pause();
}

bool has_children() {
  return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("in_child brings back whatever the work returns") {
  CHECK(in_child([] { return std::string("done"); }, seconds(20)) == "done");
  CHECK(in_child([] { return std::string(); }, seconds(20)).empty());
  CHECK(in_child([] { return std::string(5'000'000, 'x'); }, seconds(20)).size() == 5'000'000);
  CHECK(in_child([] { return std::string("\0\n", 2); }, seconds(20)) == std::string("\0\n", 2));
}

TEST_CASE("in_child survives a child that goes wrong") {
  CHECK(failure_of([]() -> std::string { std::exit(0); }) == Failure::output);
  CHECK(failure_of([]() -> std::string { std::abort(); }) == Failure::output);
  CHECK(failure_of([]() -> std::string { throw std::runtime_error("x"); }) == Failure::output);
  CHECK(failure_of(hang, milliseconds(200)) == Failure::limit);
  CHECK_FALSE(has_children());
}

TEST_CASE("in_child keeps to its time limit") {
  const auto start = std::chrono::steady_clock::now();
  failure_of(hang, milliseconds(300));
  const auto taken = std::chrono::steady_clock::now() - start;
  CHECK(taken >= milliseconds(300));
  CHECK(taken < seconds(5));
}

TEST_CASE("in_child serves several threads at a time") {
  std::vector<std::string> results(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i, &results] { results[i] = in_child([i] { return std::to_string(i); }, seconds(20)); });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 8; ++i) CHECK(results[i] == std::to_string(i));
}
