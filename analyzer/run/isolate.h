// Isolation: a model is loaded and run in a child process.
//
//     std::string json = isolate("model.pt", std::chrono::minutes(10), [&] { return to_json(capture_file("model.pt")); });
//
// Loading a model runs code from its file, which may print, hang or exhaust the memory, and a damaged file can crash LibTorch.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace gradscan {

// What `work` returns; an Error that it throws is thrown here. Throws Error (model_failed) if the child crashes or exits, Error
// (limit) if it is not finished in time or the memory is used up; `subject` is the subject of these. To be called in a process
// that has not run torch, whose locks and threads do not survive a fork; threads that scan other files meanwhile only wait for
// their own child processes, or read what these have found.
std::string isolate(const std::string& subject, std::chrono::milliseconds time_limit, const std::function<std::string()>& work);

}  // namespace gradscan
