#include "analyzer/diagnose/step_words.h"

#include <fmt/format.h>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "gradscan/verdict.h"

namespace gradscan {
namespace {

constexpr std::size_t names_listed = 4;

}  // namespace

std::vector<std::string> in_words(const TrainingStep& step) {
  std::vector<std::string> phrases;
  if (step.forwards > 1) phrases.push_back(fmt::format("one loss combines {}", count(step.forwards, "forward call")));
  if (step.backwards > 1) phrases.push_back(fmt::format("backward runs {} for one loss", times(step.backwards)));
  if (step.no_sync > 0)
    phrases.push_back(fmt::format("{} {} backward in no_sync() before the synchronised one", step.no_sync,
                                  step.no_sync == 1 ? "loss goes" : "losses go"));
  if (!step.used_outside.empty())
    phrases.push_back(
        fmt::format("the loss uses {} directly, in addition to forward's result", enumerate(step.used_outside, names_listed)));
  if (!step.zero_times.empty())
    phrases.push_back(fmt::format("0.0 times the sum of {} is added to the loss", enumerate(step.zero_times, names_listed)));
  if (step.checkpoint_around != Kind::off)
    phrases.push_back(fmt::format("a {} checkpoint wraps the whole model", in_words(step.checkpoint_around)));
  if (!step.set_to_none) phrases.push_back("zero_grad(set_to_none=False)");
  return phrases;
}

std::string iterations_in_words(const std::vector<int>& iterations, const Verdict& verdict) {
  if (static_cast<int>(iterations.size()) == verdict.iterations) return "in every iteration";
  std::vector<std::string> numbers;
  for (int iteration : iterations) numbers.push_back(std::to_string(iteration));
  return fmt::format("in {} {}", iterations.size() == 1 ? "iteration" : "iterations", enumerate(numbers, replay_iterations));
}

std::string iterations_in_words(const Verdict& verdict) {
  return verdict.iterations == replay_iterations ? "four iterations" : fmt::format("{} iterations", verdict.iterations);
}

}  // namespace gradscan
