#include "analyzer/capture/loss.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "analyzer/graph/observed.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

bool lies_in(const std::string& path, const std::string& container) {
  if (!path.starts_with(container)) return false;
  return path.size() == container.size() || path[container.size()] == '[' || path[container.size()] == '.';
}

bool requires_grad(const Output& output) {
  return output.edge.node != none;
}

std::string list_of(const Capture& capture, auto&& eligible) {
  std::vector<std::string> paths;
  for (const Output& output : capture.outputs)
    if (eligible(output)) paths.push_back(output.path);
  return fmt::format("{}", fmt::join(paths, ", "));
}

// Calls `mark` for the eligible outputs at the path; returns whether any graph has one.
bool for_each_at(const std::vector<Capture*>& graphs, const std::string& path, auto&& eligible, auto&& mark) {
  bool found = false;
  for (Capture* graph : graphs)
    for (Output& output : graph->outputs) {
      if (!eligible(output) || !lies_in(output.path, path)) continue;
      mark(output);
      found = true;
    }
  return found;
}

// Returns the first path at which no output of any graph requires grad.
std::optional<std::string> mark_loss(const std::vector<Capture*>& graphs, const std::vector<std::string>& paths) {
  for (Capture* graph : graphs)
    for (Output& output : graph->outputs) output.in_loss = paths.empty() && requires_grad(output);
  for (const std::string& path : paths)
    if (!for_each_at(graphs, path, requires_grad, [](Output& output) { output.in_loss = true; })) return path;
  return std::nullopt;
}

}  // namespace

void choose_loss(const std::vector<Capture*>& graphs, const std::vector<std::string>& paths) {
  for (Capture* graph : graphs) {
    settle_observation(*graph);
    graph->loss_guessed = false;
  }
  std::optional<std::string> unknown = mark_loss(graphs, paths);
  if (!unknown) return;
  std::string known = list_of(*graphs.front(), requires_grad);
  throw Error(Failure::usage, "--loss " + *unknown, "is not an output that requires grad",
              known.empty() ? "no output requires grad" : "use one of: " + known);
}

void choose_stated_loss(Capture& capture, const std::vector<std::string>& paths, const std::string& file) {
  std::optional<std::string> unknown = mark_loss({&capture}, paths);
  if (!unknown) return;
  throw Error(Failure::not_a_model, file,
              fmt::format("its gradscan.json names {} as the loss, which is not an output that requires grad", *unknown),
              "export the model again, or use --loss with one of: " + list_of(capture, requires_grad));
}

void hide_outputs(const std::vector<Capture*>& graphs, const std::vector<std::string>& paths) {
  auto any = [](const Output&) { return true; };
  for (const std::string& path : paths)
    if (!for_each_at(graphs, path, any,
                     [](Output& output) { output.found_by_ddp = output.behind_sink = output.direct = false; }))
      throw Error(Failure::usage, "--hidden " + path, "is not an output", "use one of: " + list_of(*graphs.front(), any));
}

}  // namespace gradscan
