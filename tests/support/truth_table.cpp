#include "tests/support/truth_table.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "analyzer/graph/predict.h"
#include "analyzer/replay/agreement.h"
#include "gradscan/edits.h"
#include "gradscan/replay.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"
#include "gradscan/version.h"
#include "tests/support/catch.h"

namespace gradscan::tests {
namespace {

using nlohmann::json;

json rows_file(const std::string& name = "ddp_rows.json") {
  return json::parse(std::ifstream("tests/truth/" + name));
}

bool has(const json& text, std::string_view part) {
  return text.get_ref<const std::string&>().find(part) != std::string::npos;
}

Checkpointing checkpointing_of(const json& row) {
  for (Checkpointing kind : {Checkpointing::reentrant, Checkpointing::non_reentrant})
    if (row["checkpointing"] == to_string(kind)) return kind;
  return Checkpointing::off;
}

// The case's step; its checkpoint around the model is of the measured kind.
TrainingStep step_of(const Training& training, Checkpointing checkpointing) {
  TrainingStep step = training.step;
  if (step.checkpoint_around != Kind::off) step.checkpoint_around = kind_under(checkpointing, step.checkpoint_around);
  return step;
}

// `options`: as in tests/truth/measure.py.
Setup setup_of(const Training& training, const json& row, const json& options, const json& measured_with) {
  Setup setup;
  setup.checkpointing = checkpointing_of(row);
  setup.find_unused_parameters = has(row["flags"], "find_unused_parameters");
  setup.static_graph = has(row["flags"], "static_graph");
  setup.bucket_cap_mb = (row.contains("bucket_cap_mb") ? row : measured_with)["bucket_cap_mb"];
  setup.gradient_as_bucket_view = has(options, "gradient_as_bucket_view=True");
  setup.step = step_of(training, setup.checkpointing);
  setup.step.set_to_none = !has(options, "set_to_none=False");
  return setup;
}

bool has_default_options(const json& row) {
  return !row.contains("options") || std::count(row["options"].begin(), row["options"].end(), "") > 0;
}

using Names = std::vector<std::string>;  // by DDP index

Names names_of(const Capture& capture) {
  Names names;
  for (int id : ddp_order(capture)) names.push_back(capture.parameters[id].name);
  return names;
}

Names names_of(const Report& report) {
  Names names;
  for (const ParameterReport& parameter : report.parameters) names.push_back(parameter.name);
  return names;
}

// As a row of the table has it.
json in_table_form(const Names& names, const Verdict& verdict) {
  json parameters = json::array(), untrained = json::array(), unsynchronised = json::object();
  for (int index : verdict.parameters) parameters.push_back({index, names[index]});
  for (int index : verdict.untrained) untrained.push_back(names[index]);
  for (const LocalGradient& local : verdict.local) unsynchronised[names[local.parameter]] = local.iterations;
  return {{"outcome", to_string(verdict.outcome)},
          {"iteration", verdict.iteration ? json(*verdict.iteration) : json()},
          {"message", verdict.message},
          {"parameters", parameters},
          {"unsynchronised", unsynchronised},
          {"untrained", untrained}};
}

json in_table_form(const EngineRun& run) {
  json firings = json::array();
  for (const std::vector<Cause>& causes : run.causes) firings.push_back(causes.size());
  return {{"firings", firings}, {"message", run.error}};
}

const Verdict& verdict_in(const Report& report, const Setup& setup) {
  auto same = [&](const Verdict& verdict) {
    return verdict.setup.checkpointing == setup.checkpointing && verdict.setup.static_graph == setup.static_graph &&
           verdict.setup.find_unused_parameters == setup.find_unused_parameters;
  };
  auto found = std::find_if(report.verdicts.begin(), report.verdicts.end(), same);
  if (found == report.verdicts.end()) throw std::invalid_argument("a report without " + ddp_call(setup));
  return *found;
}

// The comparison of what gradscan says with rows of the table.
class Comparison {
 public:
  explicit Comparison(const json& table)
      : messages_(table["messages"]), same_torch_(table["measured_with"]["torch"] == torch_version()) {}

  void compare(json said, json row) {
    for (const char* key : {"case", "checkpointing", "flags", "options", "bucket_cap_mb"}) row.erase(key);
    row["message"] = messages_[row["message"].get<std::size_t>()];
    // A Verdict has it for what passes.
    if (row.contains("outcome") && row["outcome"] != "pass") row["unsynchronised"] = json::object();
    if (!same_torch_) row.erase("message"), said.erase("message");
    ++compared_;
    equal_ += said == row;
    CHECK(said.dump(1) == row.dump(1));
  }

  int compared() const { return compared_; }

  void print(const std::string& what) const { WARN(what << ": " << compared_ << " compared, " << equal_ << " equal"); }

 private:
  const json& messages_;
  bool same_torch_;
  int compared_ = 0, equal_ = 0;
};

}  // namespace

namespace {

// Returns how many rows there are.
int check_rows(const std::map<std::string, Training>& cases, const json& table, const std::string& what) {
  static const json all_options{"", "set_to_none=False", "gradient_as_bucket_view=True",
                                "set_to_none=False, gradient_as_bucket_view=True"};
  Comparison comparison(table);
  for (const json& row : table["rows"]) {
    const Training& training = cases.at(row["case"]);
    for (const json& options : row.value("options", all_options)) {
      INFO(row["case"] << ' ' << row["checkpointing"] << ' ' << row["flags"] << ' ' << options);
      Setup setup = setup_of(training, row, options, table["measured_with"]);
      Replay run = replay(training.in_turn, setup);
      comparison.compare(in_table_form(names_of(training.in_turn.front()), run.verdict), row);
      CHECK_NOTHROW(check_replay(training.in_turn.front(), predict(training.in_turn, setup.checkpointing, setup.step), run));
    }
  }
  comparison.print(what);
  return comparison.compared();
}

Edits edits_from(const json& json) {
  Edits edits;
  for (auto [key, globs] :
       {std::pair("freeze", &edits.freeze), {"ignore", &edits.ignore}, {"require_grad", &edits.require_grad}})
    if (json.contains(key)) globs->push_back(json[key]);
  return edits;
}

}  // namespace

void check_verdicts(const std::map<std::string, Training>& cases) {
  CHECK(check_rows(cases, rows_file(), "Rows with DistributedDataParallel") == 4208);
}

void check_edits(const std::map<std::string, Training>& cases) {
  json table = rows_file("edit_rows.json");
  std::map<std::string, Training> changed;
  for (const auto& [name, edit] : table["edits"].items()) {
    changed[name] = cases.at(edit["case"]);
    for (Capture& capture : changed[name].in_turn) {
      capture = edited(capture, edits_from(edit));
      CHECK_NOTHROW(validate(capture, name));
    }
  }
  CHECK(check_rows(changed, table, "Rows with edited models") == 752);
}

void check_reports(const std::map<std::string, Training>& cases, const ReportOf& report_of) {
  json table = rows_file();
  Comparison comparison(table);
  std::map<std::pair<std::string, Kind>, Report> reports;
  for (const json& row : table["rows"]) {
    Setup setup = setup_of(cases.at(row["case"]), row, "", table["measured_with"]);
    if ((setup.find_unused_parameters && setup.static_graph) || !has_default_options(row)) continue;
    INFO(row["case"] << ' ' << row["checkpointing"] << ' ' << row["flags"]);
    auto [made, is_new] = reports.try_emplace({row["case"], setup.step.checkpoint_around});
    if (is_new) made->second = report_of(row["case"], setup.step);
    comparison.compare(in_table_form(names_of(made->second), verdict_in(made->second, setup)), row);
  }
  comparison.print("Rows of reports");
  CHECK(comparison.compared() == 789);
}

void check_firings(const std::map<std::string, Training>& cases) {
  json table = rows_file();
  Comparison comparison(table);
  for (const json& row : table["firings"]) {
    INFO(row["case"] << ' ' << row["checkpointing"]);
    const Training& training = cases.at(row["case"]);
    Checkpointing checkpointing = checkpointing_of(row);
    TrainingStep step = step_of(training, checkpointing);
    EngineRun run = run_engine(training.in_turn, checkpointing, step);
    comparison.compare(in_table_form(run), row);
    CHECK_NOTHROW(check_run(training.in_turn.front(), predict(training.in_turn, checkpointing, step), step, run));
  }
  comparison.print("Rows without it");
  CHECK(comparison.compared() == 263);
}

}  // namespace gradscan::tests
