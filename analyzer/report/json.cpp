// The JSON report; docs/report-format.md describes every key.
#include "analyzer/report/json.h"

#include "analyzer/data/rules.h"
#include "gradscan/firings.h"
#include "gradscan/report_json.h"

namespace gradscan {
namespace {

using Json = nlohmann::ordered_json;

template <typename Item, typename Convert>
Json list(const std::vector<Item>& items, Convert convert) {
  Json array = Json::array();
  for (const Item& item : items) array.push_back(convert(item));
  return array;
}

Json number_or_null(int value) {
  return value == none ? Json(nullptr) : Json(value);
}

Json cause(int region) {
  if (region == around_model) return {{"around_model", true}};
  return region == outer_graph ? Json{{"outer", true}} : Json{{"region", region}};
}

Json causes(const std::vector<int>& regions) {
  Json list = Json::array();
  for (int region : regions) list.push_back(cause(region));
  return list;
}

Json step(const TrainingStep& step) {
  return {{"forwards", step.forwards},      {"backwards", step.backwards},
          {"no_sync", step.no_sync},        {"used_outside", step.used_outside},
          {"zero_times", step.zero_times},  {"checkpoint_around", to_string(step.checkpoint_around)},
          {"set_to_none", step.set_to_none}};
}

Json setup(const Setup& setup) {
  return {{"checkpointing", to_string(setup.checkpointing)},
          {"find_unused_parameters", setup.find_unused_parameters},
          {"static_graph", setup.static_graph},
          {"bucket_cap_mb", bucket_caps(setup).others},
          {"first_bucket_cap_mb", bucket_caps(setup).first},
          {"gradient_as_bucket_view", setup.gradient_as_bucket_view},
          {"step", step(setup.step)}};
}

Json parameter(const ParameterReport& parameter) {
  const auto& firings = parameter.firings;
  const auto& marks = parameter.ready_marks;
  return {{"index", parameter.index},
          {"name", parameter.name},
          {"aliases", parameter.aliases},
          {"shape", parameter.shape},
          {"dtype", parameter.dtype},
          {"firings", {{"reentrant", firings.reentrant}, {"non_reentrant", firings.non_reentrant}, {"off", firings.off}}},
          {"ready_marks",
           {{"default", marks.defaults},
            {"find_unused_parameters", marks.find_unused_parameters},
            {"static_graph", marks.static_graph}}},
          {"fired_by", causes(parameter.fired_by)},
          {"fired_by_sink", causes(parameter.fired_by_sink)},
          {"heard", causes(parameter.heard)},
          {"in_loss", parameter.in_loss},
          {"used_by_loss", parameter.used_by_loss},
          {"seen_if_off", parameter.seen_if_off},
          {"seen_by_search", parameter.seen_by_search},
          {"used_in", causes(parameter.used_in)},
          {"idle_in", parameter.idle_in},
          {"returned_as", parameter.returned_as},
          {"lost_in", number_or_null(parameter.lost_in)}};
}

Json place(const Place& place) {
  return {{"region", number_or_null(place.region)}, {"op", place.op}, {"module", place.module}, {"source", place.source}};
}

Json second_run(const SecondRun& run) {
  Json json = place(run.place);
  json["passes"] = causes(run.causes);
  return json;
}

Json region(const RegionReport& region) {
  return {{"id", region.id},
          {"in_turn", region.in_turn},
          {"name", region.name},
          {"kind", to_string(region.kind)},
          {"parent", number_or_null(region.parent)},
          {"parameters", region.parameters},
          {"executed", region.executed},
          {"lost", region.lost},
          {"arguments", region.arguments},
          {"arguments_without_grad", region.arguments_without_grad},
          {"nested_outputs", region.nested_outputs},
          {"closures", list(region.closures, place)},
          {"source", region.source},
          {"place", region.place},
          {"origin", region.origin},
          {"saved_bytes", region.saved_bytes},
          {"recompute_flops", region.recompute_flops}};
}

Json local(const LocalGradient& local) {
  return {
      {"parameter", local.parameter}, {"iterations", local.iterations}, {"late", causes(local.late)}, {"bucket", local.bucket}};
}

Json last_mark(const std::optional<Firing>& firing) {
  return firing ? Json{{"parameter", firing->parameter}, {"cause", cause(firing->cause)}} : Json(nullptr);
}

Json verdict(const Report& report, const Verdict& verdict) {
  Json named = Json::array();
  for (int index : verdict.parameters) named.push_back({index, report.parameters.at(index).name});
  return {{"checkpointing", to_string(verdict.setup.checkpointing)},
          {"find_unused_parameters", verdict.setup.find_unused_parameters},
          {"static_graph", verdict.setup.static_graph},
          {"outcome", to_string(verdict.outcome)},
          {"iteration", verdict.iteration ? Json(*verdict.iteration) : Json(nullptr)},
          {"message", verdict.message},
          {"parameters", named},
          {"unsynchronised", verdict.unsynchronised},
          {"local", list(verdict.local, local)},
          {"last_mark", last_mark(verdict.last_mark)},
          {"untrained", verdict.untrained}};
}

Json stage(const Stage& stage) {
  return {
      {"region", number_or_null(stage.region)}, {"label", stage.label}, {"parameters", stage.parameters}, {"next", stage.next}};
}

Json group(const Group& group) {
  return {{"label", group.label},     {"regions", group.regions}, {"parameters", group.parameters},   {"folded", group.folded},
          {"members", group.members}, {"firings", group.firings}, {"ready_marks", group.ready_marks}, {"reason", group.reason}};
}

Json finding(const Finding& finding) {
  return {{"rule", finding.rule},
          {"level", words_of(finding.severity).name},
          {"title", finding.title},
          {"why", finding.why},
          {"accepted", finding.accepted.empty() ? Json(nullptr) : Json(finding.accepted)},
          {"groups", list(finding.groups, group)}};
}

Json pattern(const CheckpointPattern& pattern) {
  return {{"glob", pattern.glob}, {"kind", to_string(pattern.kind)}};
}

Json edits(const Edits& edits) {
  return {{"checkpoint", list(edits.checkpoint, pattern)},
          {"freeze", edits.freeze},
          {"ignore", edits.ignore},
          {"require_grad", edits.require_grad}};
}

Json fix(const Fix& fix) {
  std::string condition;
  for (const std::string& caveat : fix.caveats) condition += (condition.empty() ? "" : "; ") + caveat;
  return {
      {"change", fix.change},      {"options", fix.options},    {"condition", condition},           {"caveats", fix.caveats},
      {"setup", setup(fix.setup)}, {"edits", edits(fix.edits)}, {"price", json_of_price(fix.price)}};
}

Json price_row(const PriceRow& row) {
  return {{"checkpointing", to_string(row.checkpointing)}, {"price", json_of_price(row.price)}};
}

Json no_help(const NoHelp& no_help) {
  return {{"change", no_help.change}, {"reason", no_help.reason}};
}

Json input(const Input& input) {
  return {{"name", input.name},
          {"dtype", input.dtype},
          {"shape", input.shape},
          {"requires_grad", input.requires_grad},
          {"origin", input.origin}};
}

Json output(const Output& output) {
  return {{"path", output.path},
          {"dtype", output.dtype},
          {"shape", output.shape},
          {"in_loss", output.in_loss},
          {"found_by_ddp", output.found_by_ddp},
          {"behind_sink", output.behind_sink},
          {"direct", output.direct}};
}

}  // namespace

Json json_of_price(const Price& price) {
  return {{"outside", price.outside},
          {"largest", price.largest},
          {"largest_region", number_or_null(price.largest_region)},
          {"peak", price.peak()},
          {"forward_flops", price.forward_flops},
          {"backward_flops", price.backward_flops},
          {"recompute_flops", price.recompute_flops},
          {"recompute_share", price.recompute_share()}};
}

Json json_of_fixed_memory(const FixedMemory& memory) {
  return {{"parameters", memory.parameters},
          {"gradients", memory.gradients},
          {"buckets", memory.buckets},
          {"optimizer", memory.optimizer ? Json(*memory.optimizer) : Json(nullptr)}};
}

Json json_of(const Report& report) {
  auto row = [&](const Verdict& each) { return verdict(report, each); };
  Json json{{"schema", "gradscan-report/1"},
            {"gradscan", report.gradscan},
            {"torch", report.torch},
            {"written_by", report.written_by},
            {"model", report.model},
            {"in_turn", report.in_turn},
            {"setup", setup(report.setup)},
            {"inputs", list(report.inputs, input)},
            {"outputs", list(report.outputs, output)},
            {"frozen", report.frozen},
            {"ignored", report.ignored},
            {"parameters", list(report.parameters, parameter)},
            {"regions", list(report.regions, region)},
            {"regions_known", report.regions_known},
            {"stages", list(report.stages, stage)},
            {"second_run", report.second_run ? second_run(*report.second_run) : Json(nullptr)},
            {"buckets", report.buckets},
            {"verdict", row(report.verdict)},
            {"verdicts", list(report.verdicts, row)},
            {"findings", list(report.findings, finding)},
            {"fixes", list(report.fixes, fix)},
            {"no_help", list(report.no_help, no_help)},
            {"price", json_of_price(report.price)},
            {"prices", list(report.prices, price_row)},
            {"fixed", json_of_fixed_memory(report.fixed)},
            {"varying", report.varying},
            {"notes", report.notes}};
  if (!report.setups.empty()) json["setups"] = list(report.setups, json_of);
  return json;
}

std::string text_of(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_json(const Report& report) {
  return text_of(json_of(report));
}

std::string_view to_string(Severity severity) {
  return words_of(severity).name;
}

}  // namespace gradscan
