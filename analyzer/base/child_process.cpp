#include "analyzer/base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include "analyzer/base/descriptor.h"
#include "analyzer/base/files.h"
#include "analyzer/base/internal_error.h"

// The child sends through the pipe: one byte, 0 for a result or else the value of a Failure, then the result or the Error's
// line. It ends with the end of the file; a child that exits with code 0 has sent everything.
namespace gradscan {
namespace {

using Clock = std::chrono::steady_clock;

Error no_process(const std::string& subject, int code) {
  return Error(Failure::limit, subject, fmt::format("cannot start a process ({})", std::generic_category().message(code)),
               "end other programs or raise the limits");
}

// ---- In the child.

std::string message_of(const Error& error) {
  return static_cast<char>(error.failure()) + std::string(error.what());
}

std::string answer_of(const std::string& subject, const std::function<std::string()>& work) {
  try {
    return '\0' + work();
  } catch (const Error& error) {
    return message_of(error);
  } catch (const std::bad_alloc&) {
    return message_of(Error(Failure::limit, subject, "there is not enough memory", "use a machine with more memory"));
  } catch (const std::exception& error) {
    return message_of(internal_error(subject, error));
  }
}

// The parent's signal handlers would report a crash of the child as the parent's.
void seal_off(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (int crash : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) std::signal(crash, SIG_DFL);
  struct rlimit no_core_file {};
  ::setrlimit(RLIMIT_CORE, &no_core_file);
  int nowhere = ::open("/dev/null", O_RDWR);
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
  if (nowhere > STDERR_FILENO) ::close(nowhere);
}

// Exits without running what the parent has registered for its own exit.
[[noreturn]] void be_child(pid_t parent, int pipe, const std::string& subject, const std::function<std::string()>& work) {
  seal_off(parent);
  ::_exit(write_all(pipe, answer_of(subject, work)) == 0 ? 0 : 1);
}

// ---- In the parent.

// If the process runs with a standard stream closed, the next file that is opened gets its number.
Descriptor above_standard(Descriptor file, const std::string& subject) {
  if (file.get() > STDERR_FILENO) return file;
  Descriptor moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (moved.get() < 0) throw no_process(subject, errno);
  return moved;
}

class Child {
 public:
  Child(const std::string& subject, const std::function<std::string()>& work) {
    // While a thread holds the writing end of its pipe, no other may fork: the other child would keep the pipe open.
    static std::mutex forking;
    std::unique_lock lock(forking);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw no_process(subject, errno);
    Descriptor from(ends[0]), to(ends[1]);
    pipe_ = above_standard(std::move(from), subject);
    to = above_standard(std::move(to), subject);
    pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw no_process(subject, errno);
    if (pid_ != 0) return;
    lock.unlock();  // the child may have children of its own
    be_child(parent, to.get(), subject, work);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) stop();
  }

  // Everything that the child sends; nothing if the deadline passes first.
  std::optional<std::string> receive(Clock::time_point deadline) {
    std::string answer;
    std::array<char, 65536> buffer{};
    while (true) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return {};
      struct pollfd ready {
        .fd = pipe_.get(), .events = POLLIN, .revents = 0
      };
      if (::poll(&ready, 1, static_cast<int>(std::min<long>(left, 60'000))) <= 0) continue;
      ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (size == 0) return answer;
      if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  // Waits for the child and returns its exit status.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  void stop() {
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_ = -1;
  Descriptor pipe_;
};

std::string result_of(const std::string& answer) {
  auto code = static_cast<unsigned char>(answer.front());
  if (code != 0) throw Error(static_cast<Failure>(code), answer.substr(1), "");
  return answer.substr(1);
}

}  // namespace

ChildEnd run_in_child(const std::string& subject, std::chrono::milliseconds time_limit,
                      const std::function<std::string()>& work) {
  const auto deadline = Clock::now() + time_limit;
  Child child(subject, work);
  std::optional<std::string> answer = child.receive(deadline);
  if (!answer) return {.time_over = true};
  int status = child.wait();
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  if (WEXITSTATUS(status) != 0 || answer->empty()) return {};
  return {.result = result_of(*answer)};
}

}  // namespace gradscan
