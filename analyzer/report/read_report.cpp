// The reverse of to_json: a Report from the JSON of one, so that it can be written anew without its model.
//
// Anybody may have written the JSON. So every member is read with its type, the report that results is checked as a whole
// (check_report.h), and reports lie in one another only as deep as gradscan writes them.
#include "gradscan/read_report.h"

#include <array>

#include "analyzer/report/check_report.h"
#include "analyzer/report/json.h"
#include "analyzer/report/json_reading.h"
#include "gradscan/error.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

using reading::Json;
using reading::Malformed;
using reading::member;
using reading::OneOf;
using reading::OrNone;

constexpr std::array kinds{Kind::reentrant, Kind::non_reentrant, Kind::off};
constexpr std::array checkpointings{Checkpointing::as_given, Checkpointing::reentrant, Checkpointing::non_reentrant,
                                    Checkpointing::off};
constexpr std::array outcomes{Outcome::pass, Outcome::marked_ready_twice, Outcome::unfinished_reduction, Outcome::graph_changed,
                              Outcome::other};
constexpr std::array severities{Severity::error, Severity::silent, Severity::note};

auto one_of(Kind& kind) {
  return OneOf<Kind>{kind, kinds};
}
auto one_of(Checkpointing& checkpointing) {
  return OneOf<Checkpointing>{checkpointing, checkpointings};
}
auto one_of(Outcome& outcome) {
  return OneOf<Outcome>{outcome, outcomes};
}
auto one_of(Severity& severity) {
  return OneOf<Severity>{severity, severities};
}

// {"region": 15}, {"outer": true} or {"around_model": true}
struct CauseIn {
  int& value;
};

void read(const Json& json, CauseIn cause) {
  bool outer = false, around = false;
  member(json, "outer", outer);
  member(json, "around_model", around);
  cause.value = around ? around_model : outer_graph;
  if (!outer && !around) member(json, "region", OrNone{cause.value});
}

struct CausesIn {
  std::vector<int>& values;
};

void read(const Json& json, CausesIn causes) {
  if (!json.is_array()) throw Malformed(" is no list");
  for (const Json& each : json) read(each, CauseIn{causes.values.emplace_back()});
}

// As a verdict names it: [157, "layer4.2.bn3.weight"]
struct NamedParameter {
  int index = none;
};

void read(const Json& json, NamedParameter& parameter) {
  if (!json.is_array() || json.empty()) throw Malformed(" is no index with a name");
  reading::read(json.front(), parameter.index);
}

// An object of whole numbers.
struct Members {
  std::vector<std::pair<const char*, int*>> numbers;
};

void read(const Json& json, const Members& members) {
  for (auto [key, number] : members.numbers) member(json, key, *number);
}

}  // namespace

// These are static, not in the unnamed namespace, where member() and lists would not find them by their argument.

static void read(const Json& json, TrainingStep& step) {
  member(json, "forwards", step.forwards);
  member(json, "backwards", step.backwards);
  member(json, "no_sync", step.no_sync);
  member(json, "used_outside", step.used_outside);
  member(json, "zero_times", step.zero_times);
  member(json, "checkpoint_around", one_of(step.checkpoint_around));
  member(json, "set_to_none", step.set_to_none);
}

// Only who leaves bucket_cap_mb alone gets a smaller first bucket.
static void read(const Json& json, Setup& setup) {
  member(json, "checkpointing", one_of(setup.checkpointing));
  member(json, "find_unused_parameters", setup.find_unused_parameters);
  member(json, "static_graph", setup.static_graph);
  BucketCaps caps = bucket_caps(setup);
  member(json, "first_bucket_cap_mb", caps.first);
  member(json, "bucket_cap_mb", caps.others);
  if (caps.first == caps.others) setup.bucket_cap_mb = caps.others;
  member(json, "gradient_as_bucket_view", setup.gradient_as_bucket_view);
  member(json, "step", setup.step);
}

static void read(const Json& json, ParameterReport& parameter) {
  member(json, "index", parameter.index);
  member(json, "name", parameter.name);
  member(json, "aliases", parameter.aliases);
  member(json, "shape", parameter.shape);
  member(json, "dtype", parameter.dtype);
  member(json, "firings",
         Members{{{"reentrant", &parameter.firings.reentrant},
                  {"non_reentrant", &parameter.firings.non_reentrant},
                  {"off", &parameter.firings.off}}});
  member(json, "ready_marks",
         Members{{{"default", &parameter.ready_marks.defaults},
                  {"find_unused_parameters", &parameter.ready_marks.find_unused_parameters},
                  {"static_graph", &parameter.ready_marks.static_graph}}});
  member(json, "fired_by", CausesIn{parameter.fired_by});
  member(json, "fired_by_sink", CausesIn{parameter.fired_by_sink});
  member(json, "heard", CausesIn{parameter.heard});
  member(json, "in_loss", parameter.in_loss);
  member(json, "used_by_loss", parameter.used_by_loss);
  member(json, "seen_if_off", parameter.seen_if_off);
  member(json, "seen_by_search", parameter.seen_by_search);
  member(json, "used_in", CausesIn{parameter.used_in});
  member(json, "idle_in", parameter.idle_in);
  member(json, "returned_as", parameter.returned_as);
  member(json, "lost_in", OrNone{parameter.lost_in});
}

static void read(const Json& json, Place& place) {
  member(json, "region", OrNone{place.region});
  member(json, "op", place.op);
  member(json, "module", place.module);
  member(json, "source", place.source);
}

static void read(const Json& json, SecondRun& run) {
  read(json, run.place);
  member(json, "passes", CausesIn{run.causes});
}

static void read(const Json& json, RegionReport& region) {
  member(json, "id", region.id);
  member(json, "in_turn", region.in_turn);
  member(json, "name", region.name);
  member(json, "kind", one_of(region.kind));
  member(json, "parent", OrNone{region.parent});
  member(json, "parameters", region.parameters);
  member(json, "executed", region.executed);
  member(json, "lost", region.lost);
  member(json, "arguments", region.arguments);
  member(json, "arguments_without_grad", region.arguments_without_grad);
  member(json, "nested_outputs", region.nested_outputs);
  member(json, "closures", region.closures);
  member(json, "source", region.source);
  member(json, "place", region.place);
  member(json, "origin", region.origin);
  member(json, "saved_bytes", region.saved_bytes);
  member(json, "recompute_flops", region.recompute_flops);
}

static void read(const Json& json, Stage& stage) {
  member(json, "region", OrNone{stage.region});
  member(json, "label", stage.label);
  member(json, "parameters", stage.parameters);
  member(json, "next", stage.next);
}

static void read(const Json& json, LocalGradient& local) {
  member(json, "parameter", local.parameter);
  member(json, "iterations", local.iterations);
  member(json, "late", CausesIn{local.late});
  member(json, "bucket", local.bucket);
}

static void read(const Json& json, Firing& firing) {
  member(json, "parameter", firing.parameter);
  member(json, "cause", CauseIn{firing.cause});
}

static void read(const Json& json, Verdict& verdict) {
  member(json, "checkpointing", one_of(verdict.setup.checkpointing));
  member(json, "find_unused_parameters", verdict.setup.find_unused_parameters);
  member(json, "static_graph", verdict.setup.static_graph);
  member(json, "outcome", one_of(verdict.outcome));
  member(json, "iteration", verdict.iteration);
  member(json, "message", verdict.message);
  std::vector<NamedParameter> named;
  member(json, "parameters", named);
  for (const NamedParameter& each : named) verdict.parameters.push_back(each.index);
  member(json, "unsynchronised", verdict.unsynchronised);
  member(json, "local", verdict.local);
  member(json, "last_mark", verdict.last_mark);
  member(json, "untrained", verdict.untrained);
}

static void read(const Json& json, Group& group) {
  member(json, "label", group.label);
  member(json, "regions", group.regions);
  member(json, "parameters", group.parameters);
  member(json, "folded", group.folded);
  member(json, "members", group.members);
  member(json, "firings", group.firings);
  member(json, "ready_marks", group.ready_marks);
  member(json, "reason", group.reason);
}

static void read(const Json& json, Finding& finding) {
  member(json, "rule", finding.rule);
  member(json, "level", one_of(finding.severity));
  member(json, "title", finding.title);
  member(json, "why", finding.why);
  std::optional<std::string> accepted;
  member(json, "accepted", accepted);
  finding.accepted = accepted.value_or("");
  member(json, "groups", finding.groups);
}

static void read(const Json& json, Price& price) {
  member(json, "outside", price.outside);
  member(json, "largest", price.largest);
  member(json, "largest_region", OrNone{price.largest_region});
  member(json, "forward_flops", price.forward_flops);
  member(json, "backward_flops", price.backward_flops);
  member(json, "recompute_flops", price.recompute_flops);
}

static void read(const Json& json, PriceRow& row) {
  member(json, "checkpointing", one_of(row.checkpointing));
  member(json, "price", row.price);
}

static void read(const Json& json, FixedMemory& memory) {
  member(json, "parameters", memory.parameters);
  member(json, "gradients", memory.gradients);
  member(json, "buckets", memory.buckets);
  member(json, "optimizer", memory.optimizer);
}

static void read(const Json& json, CheckpointPattern& pattern) {
  member(json, "glob", pattern.glob);
  member(json, "kind", one_of(pattern.kind));
}

static void read(const Json& json, Edits& edits) {
  member(json, "checkpoint", edits.checkpoint);
  member(json, "freeze", edits.freeze);
  member(json, "ignore", edits.ignore);
  member(json, "require_grad", edits.require_grad);
}

static void read(const Json& json, Fix& fix) {
  member(json, "change", fix.change);
  member(json, "options", fix.options);
  member(json, "setup", fix.setup);
  member(json, "edits", fix.edits);
  member(json, "caveats", fix.caveats);
  member(json, "price", fix.price);
}

static void read(const Json& json, NoHelp& no_help) {
  member(json, "change", no_help.change);
  member(json, "reason", no_help.reason);
}

static void read(const Json& json, Input& input) {
  member(json, "name", input.name);
  member(json, "dtype", input.dtype);
  member(json, "shape", input.shape);
  member(json, "requires_grad", input.requires_grad);
  member(json, "origin", input.origin);
}

static void read(const Json& json, Output& output) {
  member(json, "path", output.path);
  member(json, "dtype", output.dtype);
  member(json, "shape", output.shape);
  member(json, "in_loss", output.in_loss);
  member(json, "found_by_ddp", output.found_by_ddp);
  member(json, "behind_sink", output.behind_sink);
  member(json, "direct", output.direct);
}

namespace {

void read_model(const Json& json, Report& report) {
  member(json, "gradscan", report.gradscan);
  member(json, "torch", report.torch);
  member(json, "written_by", report.written_by);
  member(json, "model", report.model);
  member(json, "in_turn", report.in_turn);
  member(json, "setup", report.setup);
  member(json, "inputs", report.inputs);
  member(json, "outputs", report.outputs);
  member(json, "frozen", report.frozen);
  member(json, "ignored", report.ignored);
  member(json, "parameters", report.parameters);
  member(json, "regions", report.regions);
  member(json, "regions_known", report.regions_known);
  member(json, "stages", report.stages);
  member(json, "varying", report.varying);
  member(json, "notes", report.notes);
}

void read_results(const Json& json, Report& report) {
  member(json, "second_run", report.second_run);
  member(json, "buckets", report.buckets);
  member(json, "verdict", report.verdict);
  member(json, "verdicts", report.verdicts);
  member(json, "findings", report.findings);
  member(json, "fixes", report.fixes);
  member(json, "no_help", report.no_help);
  member(json, "price", report.price);
  member(json, "prices", report.prices);
  member(json, "fixed", report.fixed);
}

// A verdict says only in what its setup differs from the one asked.
void complete(Verdict& verdict, const Setup& asked) {
  Setup setup = asked;
  setup.checkpointing = verdict.setup.checkpointing;
  setup.find_unused_parameters = verdict.setup.find_unused_parameters;
  setup.static_graph = verdict.setup.static_graph;
  verdict.setup = setup;
}

// Whether a document that is read has that schema.
bool has_schema(const Json& json, std::string_view schema) {
  auto found = json.is_object() ? json.find("schema") : json.end();
  return found != json.end() && found->is_string() && found->get_ref<const std::string&>() == schema;
}

// Without them a report would seem to have found nothing.
void require_results(const Json& json) {
  for (const char* key : {"model", "setup", "parameters", "verdict", "verdicts", "findings"})
    if (!json.contains(key)) throw Malformed(" has no \"" + std::string(key) + "\"");
}

Report report_without_setups(const Json& json) {
  if (!has_schema(json, "gradscan-report/1")) throw Malformed(".schema is not gradscan-report/1");
  Report report;
  read_model(json, report);
  read_results(json, report);
  require_results(json);
  complete(report.verdict, report.setup);
  for (Verdict& verdict : report.verdicts) complete(verdict, report.setup);
  return report;
}

// A report that lies in another, as the report of one of its setups.
struct SetupReport {
  Report report;
};

void read(const Json& json, SetupReport& setup) {
  setup.report = report_without_setups(json);
}

Report report_from(const Json& json) {
  Report report = report_without_setups(json);
  std::vector<SetupReport> setups;
  member(json, "setups", setups);
  for (SetupReport& setup : setups) report.setups.push_back(std::move(setup.report));
  if (std::string words = flaw(report); !words.empty()) throw Malformed(": " + words);
  return report;
}

int exit_code_of(const Report& report) {
  return has_conflict(report) ? 1 : 0;
}

void read_failure(const Json& json, Scanned& file) {
  member(json, "error", file.error);
  member(json, "exit_code", file.exit_code);
  if (file.error.empty()) throw Malformed(" has neither a report nor an error");
  if (file.exit_code < 2 || file.exit_code > 255) throw Malformed(".exit_code is none of a file without a report");
}

}  // namespace

// The exit code of a file with a report follows from it; that of one without is of a failure.
static void read(const Json& json, Scanned& file) {
  member(json, "path", file.path);
  auto report = json.find("report");
  if (report == json.end()) return read_failure(json, file);
  try {
    file.report = report_from(*report);
  } catch (const Malformed& error) {
    throw Malformed(".report" + std::string(error.what()));
  }
  file.exit_code = exit_code_of(*file.report);
}

namespace {

Survey survey_from(const Json& json) {
  Survey survey;
  if (has_schema(json, "gradscan-survey/1")) {
    member(json, "files", survey.files);
    if (survey.files.empty()) throw Malformed(" has no files");
  } else {
    Report report = report_from(json);
    int code = exit_code_of(report);
    std::string path = report.model;
    survey.files.push_back({.path = std::move(path), .report = std::move(report), .exit_code = code});
  }
  return survey;
}

// What is wrong, without a leading separator and in bounds: a parser's message quotes what it has read last.
std::string in_bounds(std::string words) {
  constexpr std::size_t most = 300;
  if (words.starts_with("[json")) words.erase(0, words.find("] ") + 2);
  words.erase(0, words.find_first_not_of(".: "));
  return words.size() <= most ? words : words.substr(0, most) + "...";
}

}  // namespace

Survey parse_report(std::string_view json, const std::string& subject) {
  std::string problem;
  try {
    return survey_from(Json::parse(json));
  } catch (const Malformed& error) {
    problem = error.what();
  } catch (const Json::exception& error) {
    problem = error.what();
  }
  throw Error(Failure::not_a_model, subject, "is not a report: " + in_bounds(problem), "write one with -o FILE.json");
}

}  // namespace gradscan
