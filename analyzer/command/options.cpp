#include "analyzer/command/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include "analyzer/files.h"
#include "analyzer/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* ask_help = "see gradscan --help";
// Of forward or backward in one iteration: every forward keeps its graph until the iteration ends.
constexpr int calls_at_most = 100;

Error wrong(const std::string& subject, const std::string& problem, const std::string& remedy = ask_help) {
  return Error(Failure::usage, subject, problem, remedy);
}

// The value that `text` names; hyphens and underscores are the same.
template <typename Value>
Value named(const std::string& option, std::string text, const std::vector<std::pair<std::string, Value>>& choices) {
  std::string normal = text, known;
  std::replace(normal.begin(), normal.end(), '_', '-');
  for (const auto& [name, value] : choices) {
    if (name == normal) return value;
    known += (known.empty() ? "" : &name == &choices.back().first ? " or " : ", ") + name;
  }
  throw wrong(option + " " + text, "is not known", "use " + known);
}

Format format_of_file(const std::string& path) {
  static constexpr std::array<std::pair<std::string_view, Format>, 4> extensions{
      {{".svg", Format::svg}, {".dot", Format::dot}, {".json", Format::json}, {".txt", Format::text}}};
  if (path.ends_with(".capture.json")) throw wrong("-o " + path, "that is the name of a capture", "use --save-capture");
  for (auto [extension, format] : extensions)
    if (path.size() > extension.size() && path.ends_with(extension)) return format;
  throw wrong("-o " + path, "the name does not tell the format", "let it end in .svg, .dot, .json or .txt");
}

double positive_number(const std::string& option, const std::string& text, const std::string& unit) {
  double number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || !(number > 0) || number > 1e9)
    throw wrong(option + " " + text, "is not a number above 0", "give it in " + unit);
  return number;
}

// A path, or a glob, is never empty.
std::string not_empty(const std::string& option, const std::string& text) {
  if (text.empty()) throw wrong(option, "its value is empty");
  return text;
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
}

int whole_number(const std::string& option, const std::string& text, int least) {
  int number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number < least || number > calls_at_most)
    throw wrong(option + " " + text,
                "is not a whole number from " + std::to_string(least) + " to " + std::to_string(calls_at_most),
                "give another number");
  return number;
}

void add_step(CLI::App& app, ScanOptions& options) {
  TrainingStep& step = options.step;
  auto add_number = [&](const std::string& name, int& value, int least) {
    add_value(app, name, [&value, name, least](const std::string& text) { value = whole_number(name, text, least); });
  };
  auto add_list = [&](const std::string& name, std::vector<std::string>& values) {
    add_value(app, name, [&values, name](const std::string& text) { values.push_back(not_empty(name, text)); });
  };
  add_number("--forwards", step.forwards, 1);
  add_number("--backwards", step.backwards, 1);
  add_number("--no-sync", step.no_sync, 0);
  add_list("--used-outside", step.used_outside);
  add_list("--zero-times", step.zero_times);
  add_value(app, "--checkpoint-around", [&](const std::string& text) {
    step.checkpoint_around =
        named<Kind>("--checkpoint-around", text, {{"reentrant", Kind::reentrant}, {"non-reentrant", Kind::non_reentrant}});
  });
  add_list("--then", options.then);
  app.add_flag_callback("--no-set-to-none", [&] { step.set_to_none = false; });
}

void add_model(CLI::App& app, ScanRequest& scan) {
  ScanOptions& options = scan.options;
  app.add_option("MODEL", scan.model);
  add_value(app, "--checkpoint",
            [&](const std::string& text) { options.checkpoint.push_back(parse_checkpoint_pattern(text)); });
  add_value(app, "--input", [&](const std::string& text) { options.inputs.push_back(parse_input(text)); });
  add_value(app, "--loss", [&](const std::string& text) { options.loss.push_back(not_empty("--loss", text)); });
  add_value(app, "--hidden", [&](const std::string& text) { options.hidden.push_back(not_empty("--hidden", text)); });
  add_value(app, "--time-limit", [&](const std::string& text) {
    scan.time_limit = std::chrono::seconds(static_cast<long>(std::ceil(positive_number("--time-limit", text, "seconds"))));
  });
}

void add_output(CLI::App& app, OutputRequest& write) {
  add_value(app, "--explain", [&](const std::string& text) { write.explain = not_empty("--explain", text); });
  add_value(app, "--format", [&](const std::string& text) {
    write.format = named<Format>("--format", text,
                                 {{"text", Format::text}, {"json", Format::json}, {"dot", Format::dot}, {"svg", Format::svg}});
  });
  add_value(app, "-o,--output", [&](const std::string& text) { write.files.push_back({text, format_of_file(text)}); });
  add_value(app, "--save-capture", [&](const std::string& text) { write.save_capture = not_empty("--save-capture", text); });
  add_value(app, "--color", [&](const std::string& text) {
    write.color =
        named<Color>("--color", text, {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}});
  });
}

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// What no option has taken: unknown options, and every model but the first.
void check_rest(const CLI::App& app) {
  bool only_models = false;
  for (const std::string& argument : app.remaining()) {
    only_models = only_models || argument == "--";
    if (argument == "--") continue;
    if (only_models || !argument.starts_with("-"))
      throw wrong(argument, "is a second model", "gradscan reads one model at a time");
    std::string near = did_you_mean(argument.substr(0, argument.find('=')), long_names(app));
    throw wrong(argument, "is not an option of gradscan", near.empty() ? ask_help : near);
  }
}

void check_distinct(const ScanRequest& scan, const OutputRequest& write) {
  std::set<std::string> models{resolved(scan.model)}, taken;
  for (const std::string& model : scan.options.then) models.insert(resolved(model));
  auto take = [&](const std::string& option, const std::string& path) {
    std::string file = resolved(path);
    if (models.contains(file)) throw wrong(option + " " + path, "that is the model itself", "choose another name");
    if (!taken.insert(file).second) throw wrong(option + " " + path, "two outputs go to this file", "choose another name");
  };
  for (const OutputFile& file : write.files) take("-o", file.path);
  if (write.save_capture) take("--save-capture", *write.save_capture);
}

void check(const CommandLine& line) {
  if (line.scan.model.empty()) throw wrong("", "no model is given", "write gradscan MODEL, or see gradscan --help");
  if (line.write.explain && line.write.format != Format::text)
    throw wrong("--explain", "is told as text only", "leave out --format");
  check_distinct(line.scan, line.write);
}

}  // namespace

const std::string_view help_text = R"(Usage: gradscan [options] MODEL

Says what DistributedDataParallel will do with a model and its gradient checkpointing, before the job
is launched. MODEL is a TorchScript file, which is loaded and run once on the CPU, or a .capture.json.

How the model is trained (otherwise: what the file says, else the defaults of DistributedDataParallel)
  --[no-]find-unused-parameters  find_unused_parameters=True (False)
  --[no-]static-graph            static_graph=True (False)
  --[no-]gradient-as-bucket-view
                                 gradient_as_bucket_view=True (False)
  --bucket-cap-mb MB             bucket_cap_mb=MB, in MiB
  --checkpointing KIND           take all checkpoint regions to be reentrant, non-reentrant or off; as-given
                                 leaves every region the kind that it has

What one iteration does (otherwise: zero_grad(), loss(ddp(x)).backward())
  --forwards N                   N forward calls enter one loss
  --backwards N                  the loss goes backward N times, retain_graph=True but for the last
  --no-sync N                    N losses go backward inside of no_sync() before the one that is synchronised
  --used-outside PARAMETER       the loss also takes the sum of a parameter, which a name or glob says. May be
                                 repeated
  --zero-times PARAMETER         the loss also takes 0.0 times that sum. May be repeated
  --checkpoint-around KIND       checkpoint(ddp, x), reentrant or non-reentrant
  --no-set-to-none               zero_grad(set_to_none=False)
  --then FILE                    the graph changes: forward calls run MODEL's and FILE's in turn. FILE is of the
                                 same model, with other inputs or branches. May be repeated

What the file may not tell
  --checkpoint PATTERN[=KIND]    the regions of MODEL whose name matches are reentrant (default), non-reentrant
                                 or off. If none does: the calls of the outermost modules whose path matches
                                 are such regions. A glob; * also crosses dots. May be repeated: the last
                                 pattern that matches counts
  --input NAME=DTYPE[SHAPE]      an argument of forward, x=float32[2,3,224,224]. May be repeated
  --loss OUTPUT                  an output that the loss is computed from, output[0]. May be repeated; otherwise
                                 all floating-point outputs that require grad
  --hidden OUTPUT                an output that DDP does not find in what the script's model returns, because it
                                 is inside of an object of its own class. May be repeated
  --time-limit SECONDS           how long loading and running may take (600)

What to write
  --explain NAME|INDEX           tell the whole story of one parameter instead of the report
  --format FORMAT                of standard output: text, json, dot or svg
  -o, --output FILE              also write a report; its name ends in .svg, .dot, .json or .txt. May be repeated
  --save-capture FILE            save what running MODEL has shown, and nothing of the files of --then; a file whose
                                 name ends in .capture.json can be scanned again in place of the model
  --color WHEN                   always, never or auto: on a terminal unless NO_COLOR is set
  -h, --help                     print this text
  --version                      print the versions of gradscan and torch

Examples
  gradscan resnet50.pt --find-unused-parameters -o report.svg
  gradscan traced.pt --checkpoint 'encoder.layers.*' --explain encoder.layers.3.fc1.weight
  gradscan scripted.pt --input 'ids=int64[2,128]' --static-graph --format json

Exit codes
   0  nothing is wrong in this setup
   1  DistributedDataParallel raises an error, or gradients are silently wrong
   2  the command line makes no sense
   3  MODEL is not a file that gradscan reads
   4  the model failed or crashed while it was loaded or run
   5  a limit of time, memory or size was hit
   6  an output could not be written
  70  a bug in gradscan
)";

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  bool version = false;
  CLI::App app;
  app.allow_extras();
  app.add_flag("--version", version)->disable_flag_override();
  add_setup(app, line.scan.options);
  add_step(app, line.scan.options);
  add_model(app, line.scan);
  add_output(app, line.write);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.action = CommandLine::Action::help;
    return line;
  } catch (const CLI::ParseError& error) {
    throw wrong("", error.what());
  }
  check_rest(app);
  if (version) {
    line.action = CommandLine::Action::version;
    return line;
  }
  check(line);
  return line;
}

}  // namespace gradscan
