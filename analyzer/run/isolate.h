// Isolation: loads and runs a model in a child process.
//
//     std::string json = isolate("model.pt", std::chrono::minutes(10), [&] { return to_json(capture_file("model.pt")); });
//
// Loading a model runs code from its file, which may print, hang or exhaust memory, and a damaged file can crash LibTorch.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace gradscan {

// Returns what `work` returns, and rethrows an Error that it throws. Throws Error (model_failed) if the child crashes or exits,
// Error (limit) if it runs out of time or memory; `subject` is the subject of both. Call it only in a process that has not run
// torch, whose locks and threads do not survive a fork. Other threads may scan other files meanwhile: they only wait for their
// own child processes or read the results.
std::string isolate(const std::string& subject, std::chrono::milliseconds time_limit, const std::function<std::string()>& work);

}  // namespace gradscan
