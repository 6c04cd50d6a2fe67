#include "analyzer/replay/observations.h"

#include <algorithm>

#include "gradscan/capture.h"

namespace gradscan {
namespace {

std::vector<int> indices_of_false(const std::vector<bool>& flags) {
  std::vector<int> indices;
  for (std::size_t index = 0; index < flags.size(); ++index)
    if (!flags[index]) indices.push_back(static_cast<int>(index));
  return indices;
}

}  // namespace

void Observations::begin_iteration() {
  ++iteration_;
  fired_.assign(trained_.size(), {});
  late_.assign(trained_.size(), {});
  marked_.assign(trained_.size(), false);
  newest_mark_.reset();
  any_late_ = false;
}

void Observations::add_firing(Firing firing, Hearing hearing) {
  fired_[firing.parameter].push_back(firing.cause);
  if (hearing == Hearing::finished) {
    any_late_ = true;
    late_[firing.parameter].push_back(firing.cause);
  } else if (hearing == Hearing::listens && !marked_[firing.parameter]) {
    marked_[firing.parameter] = true;
    newest_mark_ = firing;
  }
}

void Observations::end_iteration(const std::vector<float>& gradients, const std::vector<float>& other_gradients) {
  for (int index = 0; index < static_cast<int>(gradients.size()); ++index) {
    if (gradients[index] != other_gradients[index]) note_local(index);
    if (gradients[index] != 0) trained_[index] = true;
  }
  if (any_late_ && !last_mark_) last_mark_ = newest_mark_;
  for (std::vector<Cause>& causes : fired_) std::sort(causes.begin(), causes.end());
  causes_.push_back(fired_);
}

void Observations::note_local(int parameter) {
  auto by_parameter = [](const LocalGradient& local, int index) { return local.parameter < index; };
  auto place = std::lower_bound(local_.begin(), local_.end(), parameter, by_parameter);
  if (place == local_.end() || place->parameter != parameter)
    place = local_.insert(place, LocalGradient{parameter, {}, late_[parameter], none});
  place->iterations.push_back(iteration_);
}

void Observations::fill(Verdict& verdict) const {
  for (const LocalGradient& local : local_) verdict.unsynchronised.push_back(local.parameter);
  verdict.local = local_;
  if (!local_.empty()) verdict.last_mark = last_mark_;
  verdict.untrained = indices_of_false(trained_);
}

}  // namespace gradscan
