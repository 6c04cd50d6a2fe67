#include "analyzer/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "analyzer/files.h"
#include "analyzer/near_matches.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr const char* explanation =
    R"(Says what DistributedDataParallel will do with a model and its gradient checkpointing, before
the job is launched. MODEL is a TorchScript file, or a .capture.json; it is loaded and run once, on the CPU.
)";

constexpr const char* footer = R"(Examples:
  gradscan resnet50.pt --find-unused-parameters -o report.svg
  gradscan traced.pt --checkpoint 'encoder.layers.*' --explain encoder.layers.3.fc1.weight
  gradscan scripted.pt --input 'ids=int64[2,128]' --static-graph --format json
  gradscan resnet50.pt --save-capture resnet50.capture.json

Exit code:
   0  nothing is wrong in the setup that was asked for
   1  DDP stops with an error, or gradients are silently wrong
   2  the command line makes no sense
   3  MODEL is not a model that gradscan reads
   4  the model failed or crashed while it was loaded or run
   5  a limit of time, memory or size was hit
   6  an output could not be written
  70  a bug in gradscan)";

constexpr const char* ask_help = "see gradscan --help";

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

double positive_number(const std::string& option, const std::string& text) {
  double number = 0;
  if (!CLI::detail::lexical_cast(text, number) || !(number > 0) || number > 1e9)
    throw wrong(option + " " + text, "is not a number above 0", "");
  return number;
}

// An option with a value. It may be given several times: `take` gets one value after the other.
void add_value(CLI::App& app, const std::string& name, const std::string& value, const std::string& help,
               const std::function<void(const std::string&)>& take) {
  CLI::callback_t all = [take](const CLI::results_t& values) {
    for (const std::string& one : values) take(one);
    return true;
  };
  app.add_option(name, all, help)
      ->type_name(value)
      ->type_size(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// --NAME and --no-NAME, of which the last one stands; without either the value stays open.
void add_switch(CLI::App& app, const std::string& name, const std::string& help, std::optional<bool>& value) {
  auto set = [&value](std::int64_t count) { value = count > 0; };
  app.add_flag_function("--" + name + ",!--no-" + name, set, help);
}

void add_setup(CLI::App& app, ScanRequest& scan) {
  ScanOptions& options = scan.options;
  app.option_defaults()->group("What DistributedDataParallel is told (default: what the file says, else torch's defaults)");
  add_switch(app, "find-unused-parameters", "find_unused_parameters=True", options.find_unused_parameters);
  add_switch(app, "static-graph", "static_graph=True", options.static_graph);
  add_value(app, "--bucket-cap-mb", "MB", "bucket_cap_mb=MB, in MiB",
            [&](const std::string& text) { options.bucket_cap_mb = positive_number("--bucket-cap-mb", text); });
}

void add_model(CLI::App& app, ScanRequest& scan) {
  ScanOptions& options = scan.options;
  app.option_defaults()->group("What the model file does not tell");
  add_value(app, "--checkpoint", "PATTERN[=KIND]",
            "calls of modules whose path matches are checkpoint regions; KIND is reentrant "
            "(default), non-reentrant or off; * matches dots too; of several patterns the last that matches counts",
            [&](const std::string& text) { options.checkpoint.push_back(parse_checkpoint_pattern(text)); });
  add_value(app, "--checkpointing", "KIND", "take every region to be as-given (default), reentrant, non-reentrant or off",
            [&](const std::string& text) {
              options.checkpointing = named<Checkpointing>("--checkpointing", text,
                                                           {{"as-given", Checkpointing::as_given},
                                                            {"reentrant", Checkpointing::reentrant},
                                                            {"non-reentrant", Checkpointing::non_reentrant},
                                                            {"off", Checkpointing::off}});
            });
  add_value(app, "--input", "NAME=DTYPE[SHAPE]", "an input of forward, such as x=float32[2,3,224,224]",
            [&](const std::string& text) { options.inputs.push_back(parse_input(text)); });
  add_value(app, "--loss", "OUTPUT", "an output that the loss is computed from, such as output[0] (default: all that can be)",
            [&](const std::string& text) { options.loss.push_back(text); });
  add_value(app, "--time-limit", "SECONDS", "stop the model after this time (default: 600)", [&](const std::string& text) {
    scan.time_limit = std::chrono::seconds(static_cast<long>(std::ceil(positive_number("--time-limit", text))));
  });
}

void add_output(CLI::App& app, OutputRequest& write) {
  app.option_defaults()->group("Output");
  add_value(app, "--explain", "NAME|INDEX", "tell the whole story of one parameter instead of the report",
            [&](const std::string& text) { write.explain = text; });
  add_value(app, "--format", "FORMAT", "of standard output: text (default), json, dot or svg", [&](const std::string& text) {
    write.format = named<Format>("--format", text,
                                 {{"text", Format::text}, {"json", Format::json}, {"dot", Format::dot}, {"svg", Format::svg}});
  });
  add_value(app, "-o,--output", "FILE", "write the report to a .svg, .dot, .json or .txt file too",
            [&](const std::string& text) {
              write.files.push_back({text, format_of_file(text)});
            });
  add_value(app, "--save-capture", "FILE",
            "write what was learnt from running the model; gradscan reads it in place of the model",
            [&](const std::string& text) { write.save_capture = text; });
  add_value(app, "--color", "WHEN", "auto (default: on a terminal, unless NO_COLOR is set), always or never",
            [&](const std::string& text) {
              write.color = named<Color>("--color", text,
                                         {{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}});
            });
}

// What nothing above has taken: unknown options, and every model but the first.
void check_rest(const CLI::App& app) {
  for (const std::string& argument : app.remaining()) {
    if (!argument.starts_with("-")) throw wrong(argument, "is a second model", "gradscan reads one model at a time");
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    std::string near = did_you_mean(argument.substr(0, argument.find('=')), names);
    throw wrong(argument, "is not an option of gradscan", near.empty() ? ask_help : near);
  }
}

void check_outputs(const CommandLine& line) {
  std::set<std::string> taken{resolved(line.scan.model)};
  auto take = [&](const std::string& option, const std::string& path) {
    if (path.empty()) throw wrong(option, "the name of the file is empty");
    if (taken.insert(resolved(path)).second) return;
    bool model = resolved(path) == resolved(line.scan.model);
    throw wrong(option + " " + path, model ? "that is the model itself" : "two outputs go to this file", "choose another name");
  };
  for (const OutputFile& file : line.write.files) take("-o", file.path);
  if (!line.write.save_capture.empty()) take("--save-capture", line.write.save_capture);
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app(explanation, "gradscan");
  app.footer(footer);
  app.allow_extras();
  app.set_help_flag("-h,--help", "print this help");
  bool version = false;
  app.add_flag("--version", version, "print the versions of gradscan and torch");
  app.add_option("MODEL", line.scan.model, "the file to scan")->type_name("");
  add_setup(app, line.scan);
  add_model(app, line.scan);
  add_output(app, line.write);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
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
  if (line.scan.model.empty()) throw wrong("", "no model is given", "write gradscan MODEL, or see gradscan --help");
  if (line.write.explain && line.write.format != Format::text)
    throw wrong("--explain", "is told as text only", "leave out --format");
  check_outputs(line);
  return line;
}

}  // namespace gradscan
