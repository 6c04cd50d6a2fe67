// Runs work that may crash, hang, print or exhaust the memory in a child process.
//
//     ChildEnd end = run_in_child("model.pt", std::chrono::seconds(20), [] { return load(); });
//     if (end.result) use(*end.result);
//
// The child is a fork, so the work sees everything that its parent has; its result comes back through a pipe. The child has no
// standard input or output, leaves no core file behind, dies with its parent, and is gone when run_in_child() returns.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace gradscan {

// How the child ended: with a result, by the time limit or by a signal; if none of these, it exited by itself.
struct ChildEnd {
  std::optional<std::string> result = {};
  bool time_over = false;  // it was stopped at `time_limit`
  int signal = 0;          // the signal that ended it; 0: none
};

// Rethrows an Error that `work` throws; any other exception becomes Error (internal), or Error (limit) if memory runs out.
// Throws Error (limit) if no process can be started. `subject` is the subject of these errors. Several threads may call this at
// a time, but the child has only one thread: `work` must not wait for other threads, or for locks that they hold.
ChildEnd run_in_child(const std::string& subject, std::chrono::milliseconds time_limit,
                      const std::function<std::string()>& work);

}  // namespace gradscan
