#include "tests/support/picture_reports.h"

namespace gradscan::tests {
namespace {

Report start(const std::string& model) {
  Report report;
  report.gradscan = "0.1.0";
  report.torch = "2.13.0";
  report.model = model;
  return report;
}

int add_parameter(Report& report, const std::string& name, std::vector<Cause> fired_by, bool seen) {
  ParameterReport parameter;
  parameter.index = static_cast<int>(report.parameters.size());
  parameter.name = name;
  parameter.fired_by = parameter.heard = std::move(fired_by);
  parameter.seen_by_search = seen;
  const int firings = static_cast<int>(parameter.fired_by.size());
  parameter.firings = {firings, 1, 1};
  parameter.ready_marks = {firings, firings + !seen, 1};
  report.parameters.push_back(parameter);
  return parameter.index;
}

int add_region(Report& report, const std::string& name, std::vector<int> parameters, int parent = none) {
  RegionReport region;
  region.id = static_cast<int>(report.regions.size());
  region.name = name;
  region.parent = parent;
  region.parameters = std::move(parameters);
  region.executed = true;
  region.arguments = 1;
  region.source = "model.py:" + std::to_string(30 + region.id);
  report.regions.push_back(region);
  return region.id;
}

// A chain, in the order of backward.
void add_stage(Report& report, int region, const std::string& label, std::vector<int> parameters) {
  if (!report.stages.empty()) report.stages.back().next = {static_cast<int>(report.stages.size())};
  report.stages.push_back({region, label, std::move(parameters), {}});
}

void add_finding(Report& report, const std::string& rule, Severity severity, const std::string& why,
                 std::vector<int> parameters) {
  Finding finding;
  finding.rule = rule;
  finding.severity = severity;
  finding.title = rule;
  finding.why = why;
  finding.groups.push_back({.label = "all", .regions = {}, .parameters = std::move(parameters), .reason = ""});
  report.findings.push_back(finding);
}

std::vector<std::string> resnet50_blocks() {
  std::vector<std::string> blocks;
  const int depths[] = {3, 4, 6, 3};
  for (int layer = 0; layer < 4; ++layer) {
    for (int block = 0; block < depths[layer]; ++block) {
      blocks.push_back("layer" + std::to_string(layer + 1) + "." + std::to_string(block));
    }
  }
  return blocks;
}

std::vector<std::string> bottleneck_parameters(bool downsample) {
  std::vector<std::string> names;
  for (const std::string i : {"1", "2", "3"}) {
    for (const std::string& part : {"conv" + i + ".weight", "bn" + i + ".weight", "bn" + i + ".bias"}) names.push_back(part);
  }
  if (downsample) names.insert(names.end(), {"downsample.0.weight", "downsample.1.weight", "downsample.1.bias"});
  return names;
}

Report resnet50_structure(Kind kind) {
  Report report = start("resnet50_with_cp.pt");
  const bool reentrant = kind == Kind::reentrant;
  std::vector<int> stem, head;
  for (const char* name : {"conv1.weight", "bn1.weight", "bn1.bias"})
    stem.push_back(add_parameter(report, name, {outer_graph}, true));
  for (const std::string& block : resnet50_blocks()) {
    const int region = add_region(report, block, {});
    report.regions[region].kind = kind;
    report.regions[region].source = "resnet.py:88";
    for (const std::string& part : bottleneck_parameters(block.ends_with(".0"))) {
      const int p = add_parameter(report, block + "." + part, {reentrant ? region : none}, !reentrant);
      report.regions[region].parameters.push_back(p);
    }
  }
  for (const char* name : {"fc.weight", "fc.bias"}) head.push_back(add_parameter(report, name, {outer_graph}, true));
  add_stage(report, none, "avgpool, fc", head);
  for (int region = 15; region >= 0; --region) {
    add_stage(report, none, "layer4", {});  // the ReLU behind a block
    add_stage(report, region, report.regions[region].name, report.regions[region].parameters);
  }
  add_stage(report, none, "conv1, bn1", stem);
  return report;
}

}  // namespace

Report resnet50() {
  Report report = resnet50_structure(Kind::reentrant);
  report.setup.find_unused_parameters = true;
  report.verdict = {
      .setup = report.setup, .outcome = Outcome::marked_ready_twice, .iteration = 0, .message = "Expected to mark ..."};
  report.verdict.parameters = {157};
  std::vector<int> all;
  for (int p = 3; p < 159; ++p) all.push_back(p);
  add_finding(
      report, "marked-ready-twice", Severity::error,
      "DDP's search for unused parameters walks the outer graph, in which a reentrant region's inside does not exist. It takes "
      "the parameters there for unused and marks them ready before backward; when the inner backward fires their hooks, "
      "they are marked a second time.",
      all);
  report.fixes.push_back({"DistributedDataParallel(model, static_graph=True)", "--static-graph", {}});
  report.fixes.push_back({"checkpoint(..., use_reentrant=False)", "--checkpoint '*=non-reentrant'", {}});
  return report;
}

Report resnet50_non_reentrant() {
  Report report = resnet50_structure(Kind::non_reentrant);
  report.setup.find_unused_parameters = true;
  report.setup.checkpointing = Checkpointing::non_reentrant;
  return report;
}

Report used_twice() {
  Report report = start("l2_twice.pt");
  for (const char* name : {"l1.weight", "l1.bias"}) add_parameter(report, name, {outer_graph}, true);
  for (const char* name : {"l2.weight", "l2.bias"}) add_parameter(report, name, {0, 1}, true);
  add_region(report, "l2", {2, 3});
  add_region(report, "l2", {2, 3});
  add_stage(report, 1, "l2", {2, 3});
  add_stage(report, 0, "l2", {2, 3});
  add_stage(report, none, "l1", {0, 1});
  report.verdict = {.setup = {}, .outcome = Outcome::marked_ready_twice, .iteration = 0, .message = "Expected to mark ..."};
  report.verdict.parameters = {3};
  add_finding(
      report, "marked-ready-twice", Severity::error,
      "l2 is called in two reentrant regions. Each has a backward pass of its own, and each pass fires the hooks of l2's "
      "parameters; DDP accepts one firing per iteration.",
      {2, 3});
  return report;
}

Report not_averaged() {
  Report report = start("tied_transformer.pt");
  add_parameter(report, "embedding.weight", {none, 2}, true);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string name = "layers." + std::to_string(layer);
    const int p = add_parameter(report, name + ".linear.weight", {layer}, false);
    add_region(report, name, {p});
  }
  add_region(report, "head", {0});
  add_stage(report, 2, "head", {0});
  add_stage(report, 1, "layers.1", {2});
  add_stage(report, 0, "layers.0", {1});
  add_stage(report, none, "embedding", {0});
  report.verdict.unsynchronised = {0};
  report.verdict.local = {{0, {0, 1, 2, 3}, {outer_graph}, 0}};
  report.verdict.last_mark = Firing{1, 0};
  add_finding(
      report, "not-averaged", Severity::silent,
      "DDP averages the gradients when the last parameter is marked ready. That happens inside the inner backward of a region, "
      "before the outer graph adds its part to embedding.weight: this part stays on its own rank.",
      {0});
  return report;
}

Report not_trained() {
  Report report = start("first_region.pt");
  for (const char* name : {"l1.weight", "l1.bias"}) add_parameter(report, name, {}, false);
  for (const char* name : {"l2.weight", "l2.bias"}) add_parameter(report, name, {outer_graph}, true);
  add_region(report, "l1", {0, 1});
  report.regions[0].executed = false;
  report.regions[0].arguments_without_grad = {0};
  add_stage(report, none, "l2", {2, 3});
  add_stage(report, 0, "l1", {0, 1});
  report.setup.find_unused_parameters = true;
  report.verdict.setup = report.setup;
  report.verdict.untrained = {0, 1};
  add_finding(
      report, "not-trained", Severity::silent,
      "The region of l1 is reentrant and its only tensor argument does not require grad, so its backward never runs. With "
      "find_unused_parameters DDP takes its parameters for unused and does not complain.",
      {0, 1});
  return report;
}

Report unfinished() {
  Report report = not_trained();
  report.setup.find_unused_parameters = false;
  report.stages.erase(report.stages.begin() + 1);
  report.stages[0].next.clear();
  report.verdict = {
      .setup = {}, .outcome = Outcome::unfinished_reduction, .iteration = 1, .message = "Expected to have finished ..."};
  report.verdict.parameters = {0, 1};
  report.findings.clear();
  add_finding(report, "unfinished-reduction", Severity::error, "Nothing leads from the loss to l1.", {0, 1});
  return report;
}

Report nested(int depth) {
  Report report = start("nested.pt");
  add_parameter(report, "shared.weight", {none, depth - 1}, true);
  int parent = none;
  for (int i = 0; i < depth; ++i) parent = add_region(report, "level" + std::to_string(i), {0}, parent);
  add_stage(report, 0, "level0", {0});
  add_stage(report, none, "stem", {0});
  report.verdict = {.setup = {}, .outcome = Outcome::marked_ready_twice, .iteration = 0, .message = "Expected to mark ..."};
  report.verdict.parameters = {0};
  add_finding(report, "marked-ready-twice", Severity::error,
              "shared.weight is used in the innermost region and in the outer graph.", {0});
  return report;
}

Report other_error() {
  Report report = start("closure.pt");
  add_parameter(report, "l1.weight", {outer_graph}, true);
  add_parameter(report, "l2.weight", {0}, true);
  add_region(report, "l2", {1});
  add_stage(report, 0, "l2", {1});
  add_stage(report, none, "l1", {0});
  report.verdict = {.setup = {},
                    .outcome = Outcome::other,
                    .iteration = 0,
                    .message =
                        "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                        "already been freed)."};
  const Place relu{.op = "ReluBackward0", .module = "l1", .source = "model.py:20"};
  report.regions[0].closures = {relu};
  report.second_run = SecondRun{.place = relu, .causes = {none, 0}};
  add_finding(report, "other-error", Severity::error,
              "The function of the region l2 uses an activation of l1 that is not an argument.", {});
  return report;
}

Report no_regions() {
  Report report = start("plain.pt");
  std::vector<int> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(add_parameter(report, "blocks." + std::to_string(i) + ".weight", {outer_graph}, true));
  add_stage(report, none, "blocks", all);
  add_finding(report, "no-regions-named", Severity::note, "", {});
  report.findings[0].title = "This file names no checkpoint regions: tell gradscan where they are with --checkpoint PATTERN.";
  return report;
}

Report many_regions(int regions) {
  Report report = start("many.pt");
  report.setup.find_unused_parameters = true;
  report.verdict = {
      .setup = report.setup, .outcome = Outcome::marked_ready_twice, .iteration = 0, .message = "Expected to mark ..."};
  std::vector<int> all;
  for (int i = 0; i < regions; ++i) {
    const std::string name = "blocks." + std::to_string(i) + ".inner";
    const std::vector<Cause> causes(1 + i % 17, i);
    std::vector<int> own;
    for (int k = 0; k < 12; ++k) own.push_back(add_parameter(report, name + ".weight" + std::to_string(k), causes, i % 3 == 0));
    all.insert(all.end(), own.begin(), own.end());
    add_region(report, name, own);
  }
  for (int i = regions; i-- > 0;) add_stage(report, i, report.regions[i].name, report.regions[i].parameters);
  report.verdict.parameters = {all.back()};
  add_finding(report, "marked-ready-twice", Severity::error, "Because.", all);
  return report;
}

Report hostile(const std::string& text) {
  Report report = used_twice();
  report.model = report.torch = text;
  for (auto& parameter : report.parameters) parameter.name = text;
  for (auto& region : report.regions) region.name = region.source = text;
  for (auto& stage : report.stages) stage.label = text;
  report.verdict.message = text;
  report.findings[0].title = report.findings[0].why = text;
  report.fixes.push_back({text, text, {}});
  return report;
}

std::vector<std::pair<std::string, Report>> all_reports() {
  return {{"resnet50", resnet50()},
          {"resnet50_non_reentrant", resnet50_non_reentrant()},
          {"used_twice", used_twice()},
          {"not_averaged", not_averaged()},
          {"not_trained", not_trained()},
          {"unfinished", unfinished()},
          {"nested", nested(3)},
          {"nested_deep", nested(200)},
          {"other_error", other_error()},
          {"no_regions", no_regions()},
          {"many_regions", many_regions(500)},
          {"hostile", hostile("</text><script>\"x\" & &amp; \\N \\G \x01\xff javascript:")}};
}

}  // namespace gradscan::tests
