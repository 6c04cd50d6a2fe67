#include "analyzer/command/isolate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>

#include "analyzer/files.h"
#include "gradscan/error.h"

// What the child sends through the pipe: one byte, 0 for a result and else the value of a Failure, then the result or the
// Error's line. Its end is the end of the file; a child that ends with exit code 0 has sent everything.
namespace gradscan {
namespace {

using Clock = std::chrono::steady_clock;

std::string answer_of(const std::string& subject, const std::function<std::string()>& work) {
  auto failed = [](Failure failure, const std::string& line) { return static_cast<char>(failure) + line; };
  try {
    return '\0' + work();
  } catch (const Error& error) {
    return failed(error.failure(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(Failure::limit, Error(Failure::limit, subject, "there is not enough memory to run the model",
                                        "use a machine with more memory or smaller inputs")
                                      .what());
  } catch (const std::exception& error) {
    return failed(Failure::internal, Error(Failure::internal, subject, error.what()).what());
  }
}

// A model may print, read and crash: it must not be seen on the terminal, nor leave anything behind.
void seal_off(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  struct rlimit no_core_file {};
  ::setrlimit(RLIMIT_CORE, &no_core_file);
  int nowhere = ::open("/dev/null", O_RDWR);
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
}

[[noreturn]] void run_child(pid_t parent, int pipe, const std::string& subject, const std::function<std::string()>& work) {
  seal_off(parent);
  ::_exit(write_all(pipe, answer_of(subject, work)) == 0 ? 0 : 1);
}

// Reads to the end; none if the time is over before.
std::optional<std::string> read_until(int pipe, Clock::time_point deadline) {
  std::string answer;
  std::array<char, 65536> buffer{};
  while (true) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return {};
    struct pollfd ready {
      .fd = pipe, .events = POLLIN, .revents = 0
    };
    if (::poll(&ready, 1, static_cast<int>(std::min<long>(left, 1000))) <= 0) continue;
    ssize_t size = ::read(pipe, buffer.data(), buffer.size());
    if (size == 0) return answer;
    if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void check_end(int status, const std::string& answer, const std::string& subject) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    throw Error(Failure::limit, subject,
                "the system stopped the model while it was loaded or run, as it does when memory runs out",
                "use a machine with more memory or smaller inputs");
  if (WIFSIGNALED(status))
    throw Error(Failure::model_failed, subject,
                "the model crashed while it was loaded or run (SIG" + std::string(sigabbrev_np(WTERMSIG(status))) + ")",
                "the file may be damaged: copy or export it again");
  if (WEXITSTATUS(status) != 0 || answer.empty())
    throw Error(Failure::model_failed, subject, "the model ended the process while it was loaded or run",
                "the file may be damaged: copy or export it again");
}

std::string result_of(const std::string& answer) {
  auto code = static_cast<unsigned char>(answer.front());
  if (code != 0) throw Error(static_cast<Failure>(code), answer.substr(1), "");
  return answer.substr(1);
}

}  // namespace

std::string isolate(const std::string& subject, std::chrono::milliseconds time_limit,
                    const std::function<std::string()>& work) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) run_child(parent, pipe[1], subject, work);
  ::close(pipe[1]);
  std::optional<std::string> answer = read_until(pipe[0], Clock::now() + time_limit);
  ::close(pipe[0]);
  if (!answer) ::kill(child, SIGKILL);
  int status = wait_for(child);
  if (!answer)
    throw Error(Failure::limit, subject,
                "the model took longer than " + std::to_string(time_limit.count() / 1000) + " s to load and run",
                "allow more with --time-limit");
  check_end(status, *answer, subject);
  return result_of(*answer);
}

}  // namespace gradscan
