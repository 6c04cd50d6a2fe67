#include "analyzer/capture/loss.h"

#include "gradscan/error.h"

namespace gradscan {
namespace {

bool lies_in(const std::string& path, const std::string& container) {
  if (!path.starts_with(container)) return false;
  return path.size() == container.size() || path[container.size()] == '[' || path[container.size()] == '.';
}

std::string list_of_losses(const Capture& capture) {
  std::string list;
  for (const Output& output : capture.outputs)
    if (output.edge.node != none) list += (list.empty() ? "" : ", ") + output.path;
  return list.empty() ? "no output requires grad" : "use one of: " + list;
}

}  // namespace

void choose_loss(Capture& capture, const std::vector<std::string>& paths) {
  for (Output& output : capture.outputs) output.in_loss = paths.empty() && output.edge.node != none;
  for (const std::string& path : paths) {
    bool found = false;
    for (Output& output : capture.outputs) {
      if (output.edge.node == none || !lies_in(output.path, path)) continue;
      output.in_loss = found = true;
    }
    if (!found) throw Error(Failure::usage, "--loss " + path, "is no output that requires grad", list_of_losses(capture));
  }
}

}  // namespace gradscan
