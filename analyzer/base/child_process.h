// Work that may crash, hang, print or exhaust the memory, done in a child process.
//
//     ChildEnd end = run_in_child("model.pt", std::chrono::seconds(20), [] { return load(); });
//     if (end.result) use(*end.result);
//
// The child is a fork, so the work sees all that its parent has; its result comes back through a pipe. It has no standard
// input and output, leaves no core file behind, dies with its parent, and is gone when run_in_child() returns.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace gradscan {

// How the child has ended: with a result, or by one of the other two; if by none of them, it has ended itself.
struct ChildEnd {
  std::optional<std::string> result = {};
  bool time_over = false;  // it was stopped because `time_limit` was over
  int signal = 0;          // that has ended it; 0: none
};

// An Error that `work` throws is thrown here; any other exception as Error (internal), or Error (limit) if the memory is used
// up. Throws Error (limit) if there can be no further process. `subject` is the subject of these. May be called by several
// threads at a time, but the child has one thread only: `work` must not wait for others, or for locks that others hold.
ChildEnd run_in_child(const std::string& subject, std::chrono::milliseconds time_limit,
                      const std::function<std::string()>& work);

}  // namespace gradscan
