#include "analyzer/run/isolate.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <new>

#include "analyzer/base/child_process.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* copy_again = "the file may be damaged: copy or export it again";
constexpr const char* more_memory = "use a machine with more memory or smaller inputs";

Error too_slow(const std::string& subject, std::chrono::milliseconds time_limit) {
  return Error(Failure::limit, subject,
               fmt::format("the model took longer than {} s to load and run", time_limit.count() / 1000),
               "allow more with --time-limit");
}

Error ended_by(const std::string& subject, int signal) {
  if (signal == SIGKILL)
    return Error(Failure::limit, subject,
                 "the system killed the model while loading or running it, as it does when memory runs out", more_memory);
  return Error(Failure::model_failed, subject,
               fmt::format("the model crashed while loading or running (SIG{})", ::sigabbrev_np(signal)), copy_again);
}

}  // namespace

std::string isolate(const std::string& subject, std::chrono::milliseconds time_limit,
                    const std::function<std::string()>& work) {
  ChildEnd end = run_in_child(subject, time_limit, [&] {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      throw Error(Failure::limit, subject, "there is not enough memory to run the model", more_memory);
    }
  });
  if (end.time_over) throw too_slow(subject, time_limit);
  if (end.signal != 0) throw ended_by(subject, end.signal);
  if (!end.result)
    throw Error(Failure::model_failed, subject, "the model ended the process while loading or running", copy_again);
  return *end.result;
}

}  // namespace gradscan
