#include "analyzer/command/option_values.h"

#include <algorithm>
#include <limits>

#include "analyzer/command/values.h"

namespace gradscan {
namespace {

std::string first_of(const std::string& flags) {
  return flags.substr(0, flags.find(','));
}

std::string with_hyphens(std::string text) {
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

template <typename Take>
Value not_empty(const std::string& metavar, bool repeats, Take take) {
  return each_text(metavar, repeats, [take](const std::string& option, const std::string& text) {
    if (text.empty()) throw wrong(option, "its value is empty");
    take(text);
  });
}

Value a_file(Value value, Takes takes, const std::vector<std::string>& extensions) {
  value.takes = takes;
  value.words = extensions;
  return value;
}

}  // namespace

Value each_text(const std::string& metavar, bool repeats, const TakeText& take) {
  auto add = [take](CLI::App& app, const std::string& flags) {
    CLI::callback_t take_all = [take, option = first_of(flags)](const CLI::results_t& values) {
      for (const std::string& value : values) take(option, value);
      return true;
    };
    // Without extra arguments a text in brackets is not taken apart.
    CLI::Option* option = app.add_option(flags, take_all)->type_size(1)->allow_extra_args(false);
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  return {.metavar = metavar, .repeats = repeats, .add = add};
}

Value text(std::optional<std::string>& target, const std::string& metavar) {
  return not_empty(metavar, false, [&target](const std::string& text) { target = text; });
}

Value text(std::string& target, const std::string& metavar) {
  return not_empty(metavar, false, [&target](const std::string& text) { target = text; });
}

Value list(std::vector<std::string>& target, const std::string& metavar) {
  return not_empty(metavar, true, [&target](const std::string& text) { target.push_back(text); });
}

Value file(std::optional<std::string>& target, const std::vector<std::string>& extensions) {
  return a_file(text(target, "FILE"), Takes::file, extensions);
}

Value files(std::vector<std::string>& target, const std::vector<std::string>& extensions) {
  return a_file(list(target, "FILE"), Takes::file, extensions);
}

Value output(std::optional<std::string>& target, const std::vector<std::string>& extensions) {
  return a_file(text(target, "FILE"), Takes::output, extensions);
}

Value positive_number(const std::function<void(double)>& take, const std::string& metavar, const std::string& unit) {
  auto add = [take, unit](CLI::App& app, const std::string& flags) {
    // NaN is in every range of CLI11: also in the one that a number must not be in.
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    CLI::Validator is_positive = CLI::Number & CLI::Range(0.0, 1e9) & !CLI::Range(-infinity, 0.0);
    return app.add_option_function<double>(flags, take)
        ->transform(refusing(flags, is_positive, "is not a number above 0", "give it in " + unit))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  return {.metavar = metavar, .add = add};
}

// --NAME and --no-NAME, of which the last one stands; without either the target stays empty.
Value on_and_off(std::optional<bool>& target) {
  auto add = [&target](CLI::App& app, const std::string& flags) {
    std::string both = flags + ",!--no-" + flags.substr(2);
    return app.add_flag_function(both, [&target](std::int64_t last) { target = last > 0; })
        ->disable_flag_override()
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  return {.takes = Takes::nothing, .negatable = true, .add = add};
}

Value help_flag() {
  return {.takes = Takes::nothing, .add = [](CLI::App& app, const std::string& flags) { return app.set_help_flag(flags); }};
}

CLI::Validator refusing(const std::string& flags, const CLI::Validator& check, const std::string& problem,
                        const std::string& remedy) {
  auto say_no = [check, problem, remedy, option = first_of(flags)](std::string& text) {
    std::string given = text;
    if (!check(text).empty()) throw wrong(option + " " + given, problem, remedy);
    return std::string();
  };
  return CLI::Validator(say_no, "");
}

CLI::Validator among(const std::string& flags, const std::vector<std::string>& words) {
  return refusing(flags, CLI::IsMember(words, with_hyphens), "is not known", "use " + either(words));
}

CLI::Validator in_range(const std::string& flags, int least, int most) {
  std::string range = std::to_string(least) + " to " + std::to_string(most);
  return refusing(flags, CLI::Number & CLI::Range(least, most), "is not a whole number from " + range, "give another number");
}

}  // namespace gradscan
