// Captures of models that Python's torch has written (tests/models/make_models.py), against what Python measured of them.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "gradscan/gradscan.h"
#include "tests/support/catch.h"

using namespace gradscan;
using gradscan::tests::contains;
using nlohmann::json;

namespace {

std::string file_of(const std::string& model) {
  return std::string(GRADSCAN_MODELS) + "/" + model + ".pt";
}

json measured(const std::string& model) {
  return json::parse(std::ifstream(std::string(GRADSCAN_MODELS) + "/" + model + ".json"));
}

CaptureOptions options_for(const std::string& model, const std::vector<std::string>& patterns = {}) {
  CaptureOptions options;
  if (model.ends_with("scripted")) options.inputs = {parse_input("x=float32[3,4]")};
  for (const std::string& pattern : patterns) options.checkpoint.push_back(parse_checkpoint_pattern(pattern));
  return options;
}

Capture captured(const std::string& model, const std::vector<std::string>& patterns = {}) {
  return capture_file(file_of(model), options_for(model, patterns));
}

std::vector<std::vector<std::string>> names_of(const Capture& capture) {
  std::vector<std::vector<std::string>> names;
  for (const Parameter& parameter : capture.parameters) {
    names.push_back({parameter.name});
    names.back().insert(names.back().end(), parameter.aliases.begin(), parameter.aliases.end());
  }
  return names;
}

std::map<std::string, int> ops_of(const Capture& capture) {
  std::map<std::string, int> ops;
  for (const Node& node : capture.nodes)
    if (node.role == Role::operation) ++ops[node.op];
  return ops;
}

std::int64_t flops_of(const Capture& capture) {
  std::int64_t flops = capture.constant_flops;
  for (const Region& region : capture.regions) flops += region.constant_flops;
  for (const Node& node : capture.nodes) flops += node.forward_flops;
  return flops;
}

std::int64_t saved_by(const Capture& capture) {
  std::set<int> saved;
  for (const Node& node : capture.nodes)
    if (node.role == Role::operation) saved.insert(node.saved.begin(), node.saved.end());
  std::int64_t bytes = 0;
  for (int storage : saved) bytes += capture.storages[storage].activation ? capture.storages[storage].bytes : 0;
  return bytes;
}

// "name kind", with the parent's name behind where there is one.
std::vector<std::string> regions_of(const Capture& capture) {
  std::vector<std::string> regions;
  for (const Region& region : capture.regions)
    regions.push_back(region.name + " " + std::string(to_string(region.kind)) +
                      (region.parent == none ? "" : " in " + capture.regions[region.parent].name));
  return regions;
}

void check_firings(const std::string& model, const std::vector<std::string>& patterns = {}) {
  Report report = analyse(captured(model, patterns), {});
  std::vector<int> firings;
  for (const ParameterReport& parameter : report.parameters) firings.push_back(parameter.firings.reentrant);
  CHECK(json(firings) == measured(model)["firings"]);
}

}  // namespace

TEST_CASE("Parameters, autograd nodes and flops are those of the eager model") {
  for (const char* model : {"plain_traced", "plain_scripted", "looped_traced", "looped_scripted", "in_place_traced",
                            "in_place_scripted", "embedded", "marked", "requires_grad", "in_source", "wrapped"}) {
    CAPTURE(model);
    Capture capture = captured(model);
    json truth = measured(model);
    CHECK(json(names_of(capture)) == truth["parameters"]);
    CHECK(json(ops_of(capture)) == truth["ops"]);
    CHECK(flops_of(capture) == truth["flops"].get<std::int64_t>());
  }
}

TEST_CASE("Saved storages are those that the eager model saves") {
  for (const char* model : {"plain_traced", "plain_scripted", "looped_traced", "looped_scripted", "embedded", "marked"}) {
    CAPTURE(model);
    CHECK(saved_by(captured(model)) == measured(model)["saved"].get<std::int64_t>());
  }
}

TEST_CASE("A pattern takes some of the modules of one class, and each of their calls") {
  for (const char* model : {"looped_traced", "looped_scripted"}) {
    CAPTURE(model);
    CHECK(regions_of(captured(model)).empty());
    CHECK(regions_of(captured(model, {"blocks.[02]", "blocks.2=non-reentrant"})) ==
          std::vector<std::string>{"blocks.0 reentrant", "blocks.2 non_reentrant"});
  }
  CHECK(regions_of(captured("plain_scripted", {"block"})) == std::vector<std::string>{"block reentrant", "block reentrant"});
}

TEST_CASE("In-place operations on views, inside and outside of a region") {
  for (const char* model : {"in_place_traced", "in_place_scripted"}) {
    CAPTURE(model);
    CHECK(captured(model).regions.empty());
    CHECK(regions_of(captured(model, {"inner", "inner.a", "inner.b=non-reentrant"})) ==
          std::vector<std::string>{"inner reentrant", "inner.a reentrant in inner", "inner.b non_reentrant in inner"});
  }
}

TEST_CASE("Markers: nesting, a module called twice, and the firings of real reentrant checkpoints") {
  CHECK(regions_of(captured("marked")) == std::vector<std::string>{"blocks.0 reentrant", "inner reentrant",
                                                                   "blocks.1 reentrant in inner", "blocks.0 reentrant",
                                                                   "closure reentrant"});
  check_firings("marked");
}

TEST_CASE("requires_grad_() in forward makes a region execute") {
  check_firings("requires_grad");
}

TEST_CASE("A pattern changes the kind of regions that the file names") {
  std::vector<std::string> regions = regions_of(captured("marked", {"*=off", "inner=non-reentrant"}));
  CHECK(regions == std::vector<std::string>{"blocks.0 off", "inner non_reentrant", "blocks.1 off in inner", "blocks.0 off",
                                            "closure off"});
}

TEST_CASE("Source ranges tell non-reentrant regions apart by call and module") {
  Capture capture = captured("in_source");
  CHECK(regions_of(capture) == std::vector<std::string>{"blocks.0 non_reentrant", "blocks.1 non_reentrant",
                                                        "blocks.2 non_reentrant", "inner non_reentrant",
                                                        "blocks.0 non_reentrant", "nested non_reentrant",
                                                        "blocks.1 non_reentrant in nested", "rnn non_reentrant"});
  for (const Region& region : capture.regions) {
    CHECK(region.origin == RegionOrigin::source_range);
    CHECK(region.source.starts_with("make_models.py:"));
    CHECK_THAT(region.place, Catch::Matchers::Contains("/make_models.py:"));
  }
}

TEST_CASE("A CheckpointWrapper is one region, although its frames are in the source ranges too") {
  Capture capture = captured("wrapped");
  CHECK(regions_of(capture) == std::vector<std::string>{"layers.1 non_reentrant"});
  CHECK(capture.regions.front().origin == RegionOrigin::wrapper);
}

TEST_CASE("Outputs in containers have paths, and integer inputs valid values") {
  std::vector<std::string> paths;
  for (const Output& output : captured("embedded").outputs) paths.push_back(output.path);
  CHECK(paths == std::vector<std::string>{"output['out']", "output['hidden']"});
}

TEST_CASE("Markers that do not hold say which file they are in") {
  try {
    captured("bad_marker");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::not_a_model);
    CHECK_THAT(error.what(), contains("bad_marker.pt: has a malformed region marker"));
  }
}

TEST_CASE("A pattern takes the outermost of the modules that it matches, unless it matches the file's own regions") {
  CHECK(regions_of(captured("looped_traced", {"blocks.*"})) ==
        std::vector<std::string>{"blocks.0 reentrant", "blocks.1 reentrant", "blocks.2 reentrant"});
  CHECK(regions_of(captured("wrapped", {"layers.*=reentrant"})) == std::vector<std::string>{"layers.1 reentrant"});
  CHECK(regions_of(captured("marked", {"blocks.*=non-reentrant"})).size() == 5);
  CHECK(regions_of(captured("marked", {"head"})).back() == "head reentrant");
}

TEST_CASE("A weight that the tracer hands to the module that shares it is no argument, one that is an argument is") {
  check_firings("tied", {"head"});
  CHECK(captured("tied", {"head"}).notes.empty());
  check_firings("borrowing", {"head"});
  CHECK(captured("borrowing", {"head"}).notes.size() == 2);
}

TEST_CASE("What forward forks is recorded like the rest") {
  Capture capture = captured("forked_scripted", {"a"});
  CHECK(json(ops_of(captured("forked_scripted"))) == measured("forked_scripted")["ops"]);
  CHECK(regions_of(capture) == std::vector<std::string>{"a reentrant"});
}

TEST_CASE("A model that names other devices runs on the CPU") {
  CHECK(captured("on_device_scripted").outputs.front().edge.node != none);
}

TEST_CASE("A module that is registered twice has its first name to DDP, a shared parameter its last") {
  for (const char* model : {"repeated_traced", "repeated_scripted"}) {
    CAPTURE(model);
    std::vector<std::string> names;
    for (const Parameter& parameter : captured(model).parameters) names.push_back(ddp_name(parameter));
    CHECK(json(names) == measured(model)["ddp"]);
  }
}
