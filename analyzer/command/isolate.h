// Isolation: work that may crash, hang, print or exhaust the memory is done in a child process.
//
//     std::string json = isolate("model.pt", std::chrono::minutes(10), [&] { return to_json(capture_file("model.pt")); });
//
// Loading a model runs code from its file, and a damaged file can crash LibTorch. The child has no standard input and output,
// leaves no core file behind, and dies with its parent.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace gradscan {

// Forks, does `work` in the child and returns its result. An Error that `work` throws is thrown here. Throws Error
// (model_failed) if the child crashes or exits, Error (limit) if it is not finished in time or the memory is used up;
// `subject` is the subject of these. To be called before the process starts any thread: a forked child has only one.
std::string isolate(const std::string& subject, std::chrono::milliseconds time_limit, const std::function<std::string()>& work);

}  // namespace gradscan
