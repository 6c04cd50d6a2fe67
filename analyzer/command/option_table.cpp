// Options take effect in the order of their rows: --no-used-outside and --no-zero-times stand behind what they undo.
#include "analyzer/command/option_table.h"

#include <chrono>
#include <cmath>

#include "analyzer/command/option_values.h"
#include "analyzer/command/values.h"
#include "analyzer/presets/presets.h"
#include "gradscan/parse.h"

namespace gradscan {
namespace {

// Of forward or backward in one iteration: every forward keeps its graph until the iteration ends.
constexpr int calls_at_most = 100;
constexpr int files_at_most = 256;  // that are scanned at a time
constexpr int edges_at_most = 1'000'000;
constexpr int batch_at_most = 1'000'000'000;

const Choices<Kind> kinds{{"reentrant", Kind::reentrant}, {"non-reentrant", Kind::non_reentrant}, {"off", Kind::off}};

std::vector<Option> training_options(ScanOptions& options) {
  return {
      {.name = "find-unused-parameters",
       .value = on_and_off(options.find_unused_parameters),
       .help = "find_unused_parameters=True (False)"},
      {.name = "static-graph", .value = on_and_off(options.static_graph), .help = "static_graph=True (False)"},
      {.name = "gradient-as-bucket-view",
       .value = on_and_off(options.gradient_as_bucket_view),
       .help = "gradient_as_bucket_view=True (False)"},
      {.name = "bucket-cap-mb",
       .value = positive_number([&](double size) { options.bucket_cap_mb = size; }, "MB", "MiB"),
       .help = "bucket_cap_mb=MB, in MiB"},
      {.name = "checkpointing",
       .value = choice<Checkpointing>(options.checkpointing, "KIND",
                                      {{"as-given", Checkpointing::as_given},
                                       {"reentrant", Checkpointing::reentrant},
                                       {"non-reentrant", Checkpointing::non_reentrant},
                                       {"off", Checkpointing::off}}),
       .help = "the kind of every checkpoint region: {}; with as-given each keeps its own"},
      {.name = "freeze",
       .value = list(options.edits.freeze, "PARAMETER"),
       .help = "requires_grad_(False) before DDP is made; a name or glob"},
      {.name = "ignore",
       .value = list(options.edits.ignore, "PARAMETER"),
       .help = "have DDP ignore this parameter, which is then trained but never averaged; a name or glob"},
      {.name = "require-grad",
       .value = list(options.edits.require_grad, "REGION"),
       .help = "make the tensors given to a checkpoint region require grad; a name or glob"},
  };
}

std::vector<Option> step_options(TrainingStep& step, std::vector<std::string>& then) {
  return {
      {.name = "forwards",
       .value = whole_number(step.forwards, "N", 1, calls_at_most),
       .help = "N forward calls enter one loss"},
      {.name = "backwards",
       .value = whole_number(step.backwards, "N", 1, calls_at_most),
       .help = "run backward N times for each loss, with retain_graph=True for all but the last"},
      {.name = "no-sync",
       .value = whole_number(step.no_sync, "N", 0, calls_at_most),
       .help = "run backward for N losses inside no_sync() before the one that is synchronised"},
      {.name = "used-outside",
       .value = list(step.used_outside, "PARAMETER"),
       .help = "the loss also adds the sum of this parameter; a name or glob"},
      {.name = "zero-times",
       .value = list(step.zero_times, "PARAMETER"),
       .help = "the loss also adds 0.0 times the sum of this parameter; a name or glob"},
      {.name = "no-used-outside",
       .value = sets(step.used_outside, {}),
       .help = "leave out every --used-outside, also those of gradscan.toml"},
      {.name = "no-zero-times",
       .value = sets(step.zero_times, {}),
       .help = "leave out every --zero-times, also those of gradscan.toml"},
      {.name = "checkpoint-around",
       .value = choice<Kind>(step.checkpoint_around, "KIND", kinds),
       .help = "checkpoint(ddp, x): {}"},
      {.name = "no-set-to-none", .value = sets(step.set_to_none, false), .help = "zero_grad(set_to_none=False)"},
      {.name = "then",
       .value = files(then, model_extensions()),
       .help = "the graph changes: forward calls run MODEL and FILE in turn; FILE is the same model with other inputs or "
               "branches",
       .one_model = true,
       .apart_from = {"compare", "budget"}},
  };
}

Value checkpoint_patterns(std::vector<CheckpointPattern>& patterns) {
  Value value = each_text("PATTERN[=KIND]", true, [&patterns](const std::string&, const std::string& text) {
    patterns.push_back(parse_checkpoint_pattern(text));
  });
  value.words = preset_names();
  return value;
}

std::vector<Option> model_options(ScanRequest& scan) {
  ScanOptions& options = scan.options;
  return {
      {.name = "checkpoint",
       .value = checkpoint_patterns(options.checkpoint),
       .help =
           "regions of MODEL whose name matches are reentrant (the default), non-reentrant or off. If none matches, the calls "
           "of the outermost modules whose path matches are such regions. A glob, in which * also crosses dots; the last "
           "pattern that matches counts. Or a library, for the modules that it checkpoints when it is asked to: {}; see "
           "--list-presets"},
      {.name = "input",
       .value = each_text("NAME=DTYPE[SHAPE]", true,
                          [&](const std::string&, const std::string& text) { options.inputs.push_back(parse_input(text)); }),
       .help = "an argument of forward, for example x=float32[2,3,224,224]"},
      {.name = "loss",
       .value = list(options.loss, "OUTPUT"),
       .help = "an output that the loss is computed from, such as output[0]; default: what the file says, else every "
               "floating-point output that requires grad"},
      {.name = "hidden",
       .value = list(options.hidden, "OUTPUT"),
       .help =
           "an output in which DDP finds no tensor, because the script's model returns it inside an object of its own class"},
      {.name = "time-limit",
       .value =
           positive_number([&](double limit) { scan.time_limit = std::chrono::seconds(static_cast<long>(std::ceil(limit))); },
                           "SECONDS", "seconds"),
       .help = "how long loading and running may take (" + std::to_string(scan.time_limit.count()) + ")"},
  };
}

std::vector<Option> question_options(ScanRequest& scan, OutputRequest& write) {
  AnalyseOptions& analyse = scan.options.analyse;
  return {
      {.name = "explain",
       .value = text(write.explain, "NAME|INDEX"),
       .help = "say everything about one parameter",
       .single_run = true,
       .one_model = true,
       .apart_from = {"compare", "budget"}},
      {.name = "fix",
       .value = whole_number(scan.fix, "N", 1, calls_at_most),
       .help = "apply the N-th of the changes that the report offers, and report on that",
       .single_run = true,
       .one_model = true,
       .apart_from = {"compare", "budget"}},
      {.name = "compare",
       .value = file(scan.compare, model_extensions()),
       .help = "why does FILE end differently from MODEL? FILE is read with the same options",
       .single_run = true,
       .one_model = true},
      {.name = "budget",
       .value = each_text("SIZE", false,
                          [&](const std::string& option, const std::string& size) { scan.budget = memory_size(option, size); }),
       .help = "which modules to checkpoint so that training fits into SIZE of memory, for example 8GiB",
       .single_run = true,
       .one_model = true,
       .apart_from = {"compare"}},
      {.name = "batch",
       .value = whole_number(analyse.batch, "N", 1, batch_at_most),
       .help = "memory and work for a batch of N instead of the one that was captured",
       .apart_from = {"compare"}},
      {.name = "optimizer",
       .value =
           choice<Optimizer>(analyse.optimizer, "NAME",
                             {{"sgd", Optimizer::sgd}, {"sgd-momentum", Optimizer::sgd_momentum}, {"adam", Optimizer::adam}}),
       .help = "count its state as memory: {}",
       .apart_from = {"compare"}},
  };
}

OutputFile output_file(const std::string& option, const std::string& path) {
  if (path.ends_with(".capture.json")) throw wrong(option + " " + path, "that is the name of a capture", "use --save-capture");
  std::optional<Format> format = format_of_file(path);
  if (!format)
    throw wrong(option + " " + path, "this name does not say which format", "let it end in " + either(format_extensions()));
  return {path, *format};
}

Value output_files(std::vector<OutputFile>& files) {
  Value value = each_text("FILE", true, [&files](const std::string& option, const std::string& path) {
    files.push_back(output_file(option, path));
  });
  value.takes = Takes::output;
  value.words = format_extensions();
  return value;
}

std::vector<Option> output_options(OutputRequest& write, int& parallel) {
  return {
      {.name = "format", .value = choice<Format>(write.format, "FORMAT", format_choices()), .help = "of standard output: {}"},
      {.name = "output", .letter = 'o', .value = output_files(write.files), .help = "also write a report; its name ends in {}"},
      {.name = "focus", .value = text(write.picture.focus, "PARAMETER|REGION"), .help = "draw what is around it"},
      {.name = "radius",
       .value = whole_number(write.picture.radius, "N", 0, edges_at_most),
       .help = "how many steps --focus reaches (" + std::to_string(write.picture.radius) + ")"},
      {.name = "whole",
       .value = sets(write.picture.whole, true),
       .help = "draw the whole model, not only the part in conflict"},
      {.name = "baseline",
       .value = file(write.baseline, {".json"}),
       .help = "accept the findings that FILE names: only others are conflicts",
       .apart_from = {"compare", "budget"}},
      {.name = "write-baseline",
       .value = output(write.write_baseline, {".json"}),
       .help = "write the findings of this run to FILE",
       .apart_from = {"compare", "budget"},
       .may_replace = "baseline"},
      {.name = "path-map",
       .value = each_text("OLD=NEW", true,
                          [&](const std::string& option, const std::string& text) {
                            write.places.path_map.push_back(replacement(option, text));
                          }),
       .help = "source files are below NEW, not OLD"},
      {.name = "save-capture",
       .value = output(write.save_capture, {".capture.json"}),
       .help = "save what was seen when MODEL ran, without the files of --then, to a file named *.capture.json, which can be "
               "scanned in place of the model",
       .one_model = true,
       .apart_from = {"budget"}},
      {.name = "jobs",
       .letter = 'j',
       .value = whole_number(parallel, "N", 1, files_at_most),
       .help = "scan N files at a time (" + std::to_string(parallel) + ")"},
      {.name = "color",
       .value =
           choice<Color>(write.color, "WHEN", {{"always", Color::always}, {"never", Color::never}, {"auto", Color::automatic}}),
       .help = "{} (on a terminal unless NO_COLOR is set)"},
  };
}

std::vector<Option> about_options(CommandLine& line) {
  using Action = CommandLine::Action;
  return {
      {.name = "list-findings",
       .value = sets(line.action, Action::list_findings),
       .help = "print what gradscan finds, by rule",
       .single_run = true},
      {.name = "list-presets",
       .value = sets(line.action, Action::list_presets),
       .help = "print what the libraries of --checkpoint stand for",
       .single_run = true},
      {.name = "completion",
       .value = choice<Shell>(line.completion, "SHELL", {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}}),
       .help = "print a script with which SHELL completes gradscan's options: {}",
       .single_run = true},
      {.name = "man-page",
       .value = sets(line.action, Action::man_page),
       .help = "print the manual page, for man -l",
       .single_run = true},
      {.name = "help", .letter = 'h', .value = help_flag(), .help = "print this text", .single_run = true},
      {.name = "version",
       .value = sets(line.action, Action::version),
       .help = "print the versions of gradscan and torch",
       .single_run = true},
  };
}

}  // namespace

OptionTable option_table(CommandLine& line) {
  ScanOptions& options = line.scan.options;
  return {
      {"How the model is trained (default: what the file says, else DDP's own defaults)", training_options(options)},
      {"What one iteration does (default: zero_grad(), loss(ddp(x)).backward())", step_options(options.step, options.then)},
      {"What the file may not say", model_options(line.scan)},
      {"What to ask (default: what happens, why, and which change repairs it)", question_options(line.scan, line.write)},
      {"What to write", output_options(line.write, line.scan.parallel)},
      {"About gradscan", about_options(line)},
  };
}

std::vector<std::string> model_extensions() {
  return {".pt", ".pth", ".ts", ".json"};
}

}  // namespace gradscan
