#include "analyzer/diagnose/step_words.h"

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/text/prose.h"
#include "gradscan/verdict.h"

namespace gradscan {
namespace {

constexpr std::size_t names_told = 4;

}  // namespace

std::vector<std::string> in_words(const TrainingStep& step) {
  std::vector<std::string> phrases;
  if (step.forwards > 1) phrases.push_back(count(step.forwards, "forward call") + " enter one loss");
  if (step.backwards > 1) phrases.push_back("backward runs " + std::to_string(step.backwards) + " times for one loss");
  if (step.no_sync > 0)
    phrases.push_back(std::to_string(step.no_sync) + (step.no_sync == 1 ? " loss goes" : " losses go") +
                      " backward in no_sync() before the one that is synchronised");
  if (!step.used_outside.empty())
    phrases.push_back("the loss takes " + enumerate(step.used_outside, names_told) + " besides forward's result");
  if (!step.zero_times.empty())
    phrases.push_back("the loss takes 0.0 times the sum of " + enumerate(step.zero_times, names_told));
  if (step.checkpoint_around != Kind::off)
    phrases.push_back("a " + in_words(step.checkpoint_around) + " checkpoint stands around the whole model");
  if (!step.set_to_none) phrases.push_back("zero_grad(set_to_none=False)");
  return phrases;
}

std::string iterations_in_words(const std::vector<int>& iterations) {
  if (iterations.size() == replay_iterations) return "in every iteration";
  std::vector<std::string> numbers;
  for (int iteration : iterations) numbers.push_back(std::to_string(iteration));
  return (iterations.size() == 1 ? "in iteration " : "in iterations ") + enumerate(numbers, replay_iterations);
}

}  // namespace gradscan
