#include "dot/layout.h"

#include <fcntl.h>
#include <graphviz/gvc.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>

#include "gradscan/error.h"

extern "C" {
extern gvplugin_library_t gvplugin_core_LTX_library;
extern gvplugin_library_t gvplugin_dot_layout_LTX_library;
}

namespace gradscan {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& problem) {
  throw Error(Failure::output, "picture", problem, "use another format");
}

// ---- The child's side: a result is sent as its size and its bytes.

bool send(int pipe, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = write(pipe, data, size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

void silence() {
  const int nowhere = open("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
}

// Ends without running what the parent has registered for its exit. The alarm ends a child whose parent has died.
[[noreturn]] void be_child(int pipe, const std::function<std::string()>& work, std::chrono::milliseconds time_limit) {
  for (const int number : {SIGALRM, SIGPIPE, SIGABRT, SIGSEGV}) signal(number, SIG_DFL);
  alarm(static_cast<unsigned>(time_limit.count() / 1000 + 2));
  silence();
  try {
    const std::string result = work();
    const std::uint64_t size = result.size();
    char header[sizeof size];
    std::memcpy(header, &size, sizeof size);
    _exit(send(pipe, header, sizeof size) && send(pipe, result.data(), result.size()) ? 0 : 1);
  } catch (...) {
    _exit(1);
  }
}

// ---- The parent's side.

class Child {
 public:
  Child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit) {
    // While a thread holds the writing end of its pipe, no other may fork: that child would keep the pipe open.
    static std::mutex forking;
    const std::lock_guard lock(forking);
    std::array<int, 2> ends;
    if (pipe(ends.data()) != 0) fail(std::string("cannot make a pipe (") + std::strerror(errno) + ")");
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      be_child(ends[1], work, time_limit);
    }
    close(ends[1]);
    pipe_ = ends[0];
    if (pid_ > 0) return;
    close(pipe_);
    fail(std::string("cannot start a process (") + std::strerror(errno) + ")");
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    close(pipe_);
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  // Everything that the child sends until it has sent a whole result, or closes the pipe; nothing if the time is over.
  std::optional<std::string> receive(Clock::time_point deadline) {
    std::string received;
    while (!whole(received)) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return std::nullopt;
      pollfd waiting{pipe_, POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60000))) <= 0) continue;
      std::array<char, 65536> part;
      const ssize_t size = read(pipe_, part.data(), part.size());
      if (size == 0) break;
      if (size > 0) received.append(part.data(), static_cast<std::size_t>(size));
    }
    return received;
  }

  static bool whole(const std::string& received) {
    std::uint64_t size = 0;
    if (received.size() < sizeof size) return false;
    std::memcpy(&size, received.data(), sizeof size);
    return received.size() - sizeof size >= size;
  }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

// ---- Graphviz.

// The type of the length differs between versions of Graphviz.
template <typename Length>
std::optional<std::string> render(int (*render_data)(GVC_t*, graph_t*, const char*, char**, Length*), GVC_t* context,
                                  Agraph_t* graph) {
  char* data = nullptr;
  Length length = 0;
  if (render_data(context, graph, "svg", &data, &length) != 0 || !data) return std::nullopt;
  return std::string(data, length);
}

}  // namespace

std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit) {
  const auto deadline = Clock::now() + time_limit;
  Child child(work, time_limit);
  const auto received = child.receive(deadline);
  if (!received) {
    throw Error(Failure::limit, "picture", "layout takes longer than " + std::to_string(time_limit.count()) + " ms",
                "use another format, such as .dot");
  }
  if (!Child::whole(*received)) fail("Graphviz failed");
  return received->substr(sizeof(std::uint64_t));
}

std::string render_svg(Agraph_t& graph) {
  static lt_symlist_t plugins[] = {{"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
                                   {"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
                                   {nullptr, nullptr}};
  GVC_t* context = gvContextPlugins(plugins, 0);  // 0: load no others
  if (!context || gvLayout(context, &graph, "dot") != 0) fail("Graphviz cannot lay out the graph");
  auto svg = render(&gvRenderData, context, &graph);
  if (!svg) fail("Graphviz cannot draw the graph");
  return std::move(*svg);
}

}  // namespace gradscan
