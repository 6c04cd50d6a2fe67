// The kinds of values that options take. Each writes into a target: of a list the values one after the other, else the last
// one. A value that makes no sense throws Error (usage).
//
//     whole_number(step.forwards, "N", 1, 100)
//     choice<Color>(write.color, "WHEN", {{"auto", Color::automatic}, {"never", Color::never}})
//     list(options.loss, "OUTPUT")
#pragma once

#include <CLI/CLI.hpp>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "analyzer/command/option.h"

namespace gradscan {

// Any text but an empty one; names, globs and paths.
Value text(std::optional<std::string>& target, const std::string& metavar);
Value text(std::string& target, const std::string& metavar);
Value list(std::vector<std::string>& target, const std::string& metavar);
Value file(std::optional<std::string>& target, const std::vector<std::string>& extensions);
Value files(std::vector<std::string>& target, const std::vector<std::string>& extensions);
Value output(std::optional<std::string>& target, const std::vector<std::string>& extensions);

using TakeText = std::function<void(const std::string& option, const std::string& text)>;

// `take` is called with every text that is given, and the option as it was written.
Value each_text(const std::string& metavar, bool repeats, const TakeText& take);

// `unit` is told to whoever gives something else than a number above 0.
Value positive_number(const std::function<void(double)>& take, const std::string& metavar, const std::string& unit);

// Flags.
Value on_and_off(std::optional<bool>& target);
Value help_flag();

// CLI11's validator or transformer, which says no as gradscan does: "--forwards 0: problem: remedy".
CLI::Validator refusing(const std::string& flags, const CLI::Validator& check, const std::string& problem,
                        const std::string& remedy);

// Hyphens and underscores are the same.
CLI::Validator among(const std::string& flags, const std::vector<std::string>& words);
CLI::Validator in_range(const std::string& flags, int least, int most);

template <typename Target>
Value whole_number(Target& target, const std::string& metavar, int least, int most) {
  auto add = [&target, least, most](CLI::App& app, const std::string& flags) {
    CLI::Option* option = app.add_option(flags, target)->transform(in_range(flags, least, most));
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  return {.metavar = metavar, .add = add};
}

template <typename Choice>
using Choices = std::vector<std::pair<std::string, Choice>>;

template <typename Choice, typename Target>
Value choice(Target& target, const std::string& metavar, const Choices<Choice>& choices) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  auto add = [&target, words, choices](CLI::App& app, const std::string& flags) {
    CLI::Option* option = app.add_option_function<Choice>(flags, [&target](const Choice& value) { target = value; });
    option->transform(CLI::Transformer(choices))->transform(among(flags, words));
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  return {.takes = Takes::choice, .metavar = metavar, .words = words, .add = add};
}

// A flag with which the target gets this value.
template <typename Target>
Value sets(Target& target, const std::type_identity_t<Target>& value) {
  auto add = [&target, value](CLI::App& app, const std::string& flags) {
    return app.add_flag_function(flags, [&target, value](std::int64_t) { target = value; })->disable_flag_override();
  };
  return {.takes = Takes::nothing, .add = add};
}

}  // namespace gradscan
