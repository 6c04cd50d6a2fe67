#include "analyzer/command/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "analyzer/base/files.h"
#include "analyzer/command/values.h"
#include "analyzer/text/near_matches.h"
#include "gradscan/parse.h"

namespace gradscan {
namespace {

// Of forward or backward in one iteration: every forward keeps its graph until the iteration ends.
constexpr int calls_at_most = 100;
constexpr int files_at_most = 256;  // that are scanned at a time
constexpr int edges_at_most = 1'000'000;

Format format_of_output(const std::string& path) {
  if (path.ends_with(".capture.json")) throw wrong("-o " + path, "that is the name of a capture", "use --save-capture");
  std::optional<Format> format = format_of_file(path);
  if (!format) throw wrong("-o " + path, "the name does not tell the format", "let it end in " + format_extensions());
  return *format;
}

Format named_format(const std::string& name) {
  std::optional<Format> format = format_named(name);
  if (!format) throw wrong("--format " + name, "is not known", "use " + format_names());
  return *format;
}

// An option with a value. It may be given several times: `take` gets one value after the other.
void add_value(CLI::App& app, const std::string& name, const std::function<void(const std::string&)>& take) {
  CLI::callback_t take_all = [take](const CLI::results_t& values) {
    for (const std::string& value : values) take(value);
    return true;
  };
  CLI::Option* option = app.add_option(name, take_all)->type_name("value")->type_size(1)->allow_extra_args(false);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// One whose value is a path, glob or name: the last one counts, or all do.
void add_text(CLI::App& app, const std::string& name, std::optional<std::string>& value) {
  add_value(app, name, [&value, name](const std::string& text) { value = not_empty(name, text); });
}

void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values) {
  add_value(app, name, [&values, name](const std::string& text) { values.push_back(not_empty(name, text)); });
}

void add_number(CLI::App& app, const std::string& name, int least, int most, const std::function<void(int)>& take) {
  add_value(app, name, [=](const std::string& text) { take(whole_number(name, text, least, most)); });
}

void add_flag(CLI::App& app, const std::string& name, const std::function<void()>& set) {
  app.add_flag(name, [set](std::int64_t) { set(); })->disable_flag_override();
}

// --NAME and --no-NAME, of which the last one stands; without either the value stays open.
void add_switch(CLI::App& app, const std::string& name, std::optional<bool>& value) {
  auto set = [&value](std::int64_t last) { value = last > 0; };
  CLI::Option* option = app.add_flag_function("--" + name + ",!--no-" + name, set);
  option->disable_flag_override()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_setup(CLI::App& app, ScanOptions& options) {
  add_switch(app, "find-unused-parameters", options.find_unused_parameters);
  add_switch(app, "static-graph", options.static_graph);
  add_switch(app, "gradient-as-bucket-view", options.gradient_as_bucket_view);
  add_value(app, "--bucket-cap-mb",
            [&](const std::string& text) { options.bucket_cap_mb = positive_number("--bucket-cap-mb", text, "MiB"); });
  add_value(app, "--checkpointing", [&](const std::string& text) {
    options.checkpointing = named<Checkpointing>("--checkpointing", text,
                                                 {{"as-given", Checkpointing::as_given},
                                                  {"reentrant", Checkpointing::reentrant},
                                                  {"non-reentrant", Checkpointing::non_reentrant},
                                                  {"off", Checkpointing::off}});
  });
  add_list(app, "--freeze", options.edits.freeze);
  add_list(app, "--ignore", options.edits.ignore);
  add_list(app, "--require-grad", options.edits.require_grad);
}

void add_step(CLI::App& app, ScanOptions& options) {
  TrainingStep& step = options.step;
  add_number(app, "--forwards", 1, calls_at_most, [&](int number) { step.forwards = number; });
  add_number(app, "--backwards", 1, calls_at_most, [&](int number) { step.backwards = number; });
  add_number(app, "--no-sync", 0, calls_at_most, [&](int number) { step.no_sync = number; });
  add_list(app, "--used-outside", step.used_outside);
  add_list(app, "--zero-times", step.zero_times);
  // Options take effect in the order in which they are added here: these two also undo what stands behind them.
  add_flag(app, "--no-used-outside", [&] { step.used_outside.clear(); });
  add_flag(app, "--no-zero-times", [&] { step.zero_times.clear(); });
  add_value(app, "--checkpoint-around", [&](const std::string& text) {
    step.checkpoint_around =
        named<Kind>("--checkpoint-around", text,
                    {{"reentrant", Kind::reentrant}, {"non-reentrant", Kind::non_reentrant}, {"off", Kind::off}});
  });
  add_list(app, "--then", options.then);
  add_flag(app, "--no-set-to-none", [&] { step.set_to_none = false; });
}

void add_model(CLI::App& app, ScanRequest& scan) {
  ScanOptions& options = scan.options;
  app.add_option("MODEL", scan.models);
  add_value(app, "--checkpoint",
            [&](const std::string& text) { options.checkpoint.push_back(parse_checkpoint_pattern(text)); });
  add_value(app, "--input", [&](const std::string& text) { options.inputs.push_back(parse_input(text)); });
  add_list(app, "--loss", options.loss);
  add_list(app, "--hidden", options.hidden);
  add_value(app, "--time-limit", [&](const std::string& text) {
    scan.time_limit = std::chrono::seconds(static_cast<long>(std::ceil(positive_number("--time-limit", text, "seconds"))));
  });
}

void add_questions(CLI::App& app, ScanRequest& scan) {
  add_number(app, "--fix", 1, calls_at_most, [&](int number) { scan.fix = number; });
  add_text(app, "--compare", scan.compare);
  add_value(app, "--budget", [&](const std::string& text) { scan.budget = memory_size("--budget", text); });
  add_number(app, "--batch", 1, 1'000'000'000, [&](int number) { scan.options.analyse.batch = number; });
  add_value(app, "--optimizer", [&](const std::string& text) {
    scan.options.analyse.optimizer = named<Optimizer>(
        "--optimizer", text, {{"sgd", Optimizer::sgd}, {"sgd-momentum", Optimizer::sgd_momentum}, {"adam", Optimizer::adam}});
  });
  add_number(app, "-j,--jobs", 1, files_at_most, [&](int number) { scan.parallel = number; });
}

void add_picture(CLI::App& app, PictureOptions& picture) {
  add_value(app, "--focus", [&](const std::string& text) { picture.focus = not_empty("--focus", text); });
  add_number(app, "--radius", 0, edges_at_most, [&](int number) { picture.radius = number; });
  add_flag(app, "--whole", [&] { picture.whole = true; });
}

void add_output(CLI::App& app, OutputRequest& write) {
  add_text(app, "--explain", write.explain);
  add_value(app, "--format", [&](const std::string& text) { write.format = named_format(text); });
  add_value(app, "-o,--output", [&](const std::string& text) { write.files.push_back({text, format_of_output(text)}); });
  add_text(app, "--save-capture", write.save_capture);
  add_text(app, "--baseline", write.baseline);
  add_text(app, "--write-baseline", write.write_baseline);
  add_picture(app, write.picture);
  add_value(app, "--path-map",
            [&](const std::string& text) { write.places.path_map.push_back(replacement("--path-map", text)); });
  add_value(app, "--color", [&](const std::string& text) {
    write.color =
        named<Color>("--color", text, {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}});
  });
}

void add_actions(CLI::App& app, CommandLine::Action& action) {
  add_flag(app, "--version", [&] { action = CommandLine::Action::version; });
  add_flag(app, "--list-presets", [&] { action = CommandLine::Action::list_presets; });
  add_flag(app, "--list-findings", [&] { action = CommandLine::Action::list_findings; });
}

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// What no option has taken.
void check_rest(const CLI::App& app) {
  for (const std::string& argument : app.remaining()) {
    if (argument == "--") continue;
    std::string near = did_you_mean(argument.substr(0, argument.find('=')), long_names(app));
    throw wrong(argument, "is not an option of gradscan", near.empty() ? ask_help : near);
  }
}

void check_distinct(const ScanRequest& scan, const OutputRequest& write) {
  std::set<std::string> models, taken;
  for (const std::string& model : scan.models)
    if (!models.insert(resolved(model)).second) throw wrong(model, "is given twice", "name every file once");
  for (const std::string& model : scan.options.then) models.insert(resolved(model));
  if (scan.compare) models.insert(resolved(*scan.compare));
  auto take = [&](const std::string& option, const std::string& path) {
    std::string file = resolved(path);
    if (models.contains(file)) throw wrong(option + " " + path, "that file is read", "choose another name");
    if (!taken.insert(file).second) throw wrong(option + " " + path, "two outputs go to this file", "choose another name");
  };
  if (write.baseline) models.insert(resolved(*write.baseline));
  for (const OutputFile& file : write.files) take("-o", file.path);
  if (write.save_capture) take("--save-capture", *write.save_capture);
  if (write.baseline) models.erase(resolved(*write.baseline));  // this may be written anew
  if (write.write_baseline) take("--write-baseline", *write.write_baseline);
}

bool any_format(const OutputRequest& write, bool (*is_such)(Format)) {
  return is_such(write.format) ||
         std::any_of(write.files.begin(), write.files.end(), [&](const OutputFile& file) { return is_such(file.format); });
}

// What is asked of one model only.
void check_several(const CommandLine& line) {
  if (line.scan.models.size() < 2) return;
  auto refuse = [](bool is_given, const std::string& option) {
    if (is_given) throw wrong(option, "is for one model", "give one, or leave the option out");
  };
  refuse(!line.scan.options.then.empty(), "--then");
  refuse(line.scan.fix.has_value(), "--fix");
  refuse(line.scan.compare.has_value(), "--compare");
  refuse(line.scan.budget.has_value(), "--budget");
  refuse(line.write.explain.has_value(), "--explain");
  refuse(line.write.save_capture.has_value(), "--save-capture");
  if (any_format(line.write, draws)) throw wrong("", "a picture shows one model", "use HTML for several: -o report.html");
}

// A plan or a comparison takes the place of the report.
void check_question(const CommandLine& line) {
  const ScanRequest& scan = line.scan;
  if (!scan.compare && !scan.budget) return;
  std::string option = scan.compare ? "--compare" : "--budget";
  auto refuse = [&](bool is_given, const std::string& other) {
    if (is_given) throw wrong(option, "cannot be answered together with " + other, "leave one of them out");
  };
  refuse(scan.compare && scan.budget, "--budget");
  refuse(scan.fix.has_value(), "--fix");
  refuse(!scan.options.then.empty(), "--then");
  refuse(line.write.explain.has_value(), "--explain");
  refuse(scan.budget && line.write.save_capture, "--save-capture");
  refuse(scan.compare && scan.options.analyse.batch, "--batch");
  refuse(scan.compare && scan.options.analyse.optimizer, "--optimizer");
  refuse(line.write.baseline.has_value(), "--baseline");
  refuse(line.write.write_baseline.has_value(), "--write-baseline");
  if (any_format(line.write, is_for_reports_only)) throw wrong(option, "is answered as text or JSON", "use one of these");
}

void check(const CommandLine& line) {
  if (line.scan.models.empty() || line.scan.models.front().empty())
    throw wrong("", "no model is given", "write gradscan MODEL, or see gradscan --help");
  if (line.write.explain && line.write.format != Format::text)
    throw wrong("--explain", "is told as text only", "leave out --format");
  if (line.write.picture.whole && !line.write.picture.focus.empty())
    throw wrong("--focus " + line.write.picture.focus, "is a part, and --whole is not", "leave one of them out");
  check_several(line);
  check_question(line);
  check_distinct(line.scan, line.write);
}

void parse(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"gradscan"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  app.parse(static_cast<int>(argv.size()), argv.data());
}

// The first argument that gives a value to an option that takes none.
std::string flag_with_value(const CLI::App& app, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const CLI::Option* option = app.get_option_no_throw(argument.substr(0, argument.find('=')));
    if (option && option->get_items_expected_max() == 0 && argument.find('=') != std::string::npos) return argument;
  }
  return "";
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  CLI::App app;
  app.allow_extras();
  add_actions(app, line.action);
  add_setup(app, line.scan.options);
  add_step(app, line.scan.options);
  add_model(app, line.scan);
  add_questions(app, line.scan);
  add_output(app, line.write);
  try {
    parse(app, arguments);
  } catch (const CLI::CallForHelp&) {
    line.action = CommandLine::Action::help;
    return line;
  } catch (const CLI::ArgumentMismatch& error) {
    std::string_view what = error.what();
    bool overridden = what.find("disallowed flag override") != std::string_view::npos;
    throw overridden ? wrong(flag_with_value(app, arguments), "takes no value", "leave it out") : wrong("", error.what());
  } catch (const CLI::ParseError& error) {
    throw wrong("", error.what());
  }
  check_rest(app);
  line.scan.asks_setup = line.scan.options != ScanOptions{} || line.scan.fix;
  if (line.action == CommandLine::Action::scan) check(line);
  return line;
}

}  // namespace gradscan
