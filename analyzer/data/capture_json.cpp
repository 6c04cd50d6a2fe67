// The JSON form of a Capture: a direct image of its members (docs/capture-format.md). It is compact where a model has many of a
// thing: an edge is [node, slot] or null, every element of a list has a line of its own, and a member that has its default
// value may be missing.
#include <array>
#include <climits>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "gradscan/capture.h"
#include "gradscan/error.h"
#include "gradscan/files.h"

namespace gradscan {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "gradscan-capture/1";

// Sets object[key] unless the value is the default one.
template <typename T>
void put(Json& object, const char* key, const T& value, const T& default_value = {}) {
  if (value != default_value) object[key] = value;
}

// Reads object[key] into `value` if it is there.
template <typename T>
void get(const Json& object, const char* key, T& value) {
  if (auto found = object.find(key); found != object.end()) found->get_to(value);
}

[[noreturn]] void fail(const Json& object, const std::string& problem) {
  throw Json::other_error::create(501, problem, &object);
}

// A number of a node, slot, parameter, region or storage.
int small_integer(const Json& json) {
  bool fits = json.is_number_integer() && !(json.is_number_unsigned() && json.get<std::uint64_t>() > INT_MAX) &&
              json.get<std::int64_t>() >= none && json.get<std::int64_t>() <= INT_MAX;
  if (!fits) fail(json, json.dump() + " is no number of anything");
  return json.get<int>();
}

void get(const Json& object, const char* key, int& value) {
  if (auto found = object.find(key); found != object.end()) value = small_integer(*found);
}

void get(const Json& object, const char* key, std::vector<int>& values) {
  if (auto found = object.find(key); found != object.end())
    for (const Json& value : *found) values.push_back(small_integer(value));
}

template <typename Enum, std::size_t count>
Enum parse_enum(const Json& object, const char* key, const std::array<Enum, count>& values, Enum default_value) {
  auto found = object.find(key);
  if (found == object.end()) return default_value;
  for (Enum value : values)
    if (to_string(value) == found->template get<std::string>()) return value;
  fail(object, std::string("unknown ") + key + " " + found->dump());
}

Role parse_role(const Json& object) {
  constexpr std::array roles{Role::operation, Role::parameter, Role::leaf, Role::region_begin, Role::region_end};
  return parse_enum(object, "role", roles, Role::operation);
}

Kind parse_kind(const Json& object) {
  return parse_enum(object, "kind", std::array{Kind::reentrant, Kind::non_reentrant, Kind::off}, Kind::reentrant);
}

Json image(GradEdge edge) {
  return edge.node == none ? Json() : Json{edge.node, edge.slot};
}

GradEdge edge_from(const Json& json) {
  if (json.is_null()) return {};
  return {small_integer(json.at(0)), small_integer(json.at(1))};
}

Json image(const Parameter& parameter) {
  Json json{{"name", parameter.name}, {"shape", parameter.shape}, {"dtype", parameter.dtype}};
  put(json, "aliases", parameter.aliases);
  put(json, "requires_grad", parameter.requires_grad, true);
  put(json, "ignored", parameter.ignored);
  put(json, "ddp_name", parameter.ddp_name);
  return json;
}

void read(const Json& json, Parameter& parameter) {
  json.at("name").get_to(parameter.name);
  get(json, "shape", parameter.shape);
  get(json, "dtype", parameter.dtype);
  get(json, "aliases", parameter.aliases);
  get(json, "requires_grad", parameter.requires_grad);
  get(json, "ignored", parameter.ignored);
  get(json, "ddp_name", parameter.ddp_name);
  std::int64_t bytes = element_size(parameter.dtype);
  for (std::int64_t extent : parameter.shape) {
    if (extent < 0) fail(json, "a negative extent in the shape of " + parameter.name);
    if (__builtin_mul_overflow(bytes, extent, &bytes)) fail(json, parameter.name + " is larger than any memory");
  }
}

Json image(const Storage& storage) {
  Json json{{"bytes", storage.bytes}};
  put(json, "activation", storage.activation, true);
  return json;
}

void read(const Json& json, Storage& storage) {
  json.at("bytes").get_to(storage.bytes);
  get(json, "activation", storage.activation);
}

Json image(const Node& node) {
  Json json = Json::object();
  if (node.role != Role::operation) json["role"] = to_string(node.role);
  put(json, "op", node.op);
  put(json, "parameter", node.parameter, none);
  if (!node.next.empty()) {
    Json& next = json["next"] = Json::array();
    for (GradEdge edge : node.next) next.push_back(image(edge));
  }
  put(json, "module", node.module);
  put(json, "source", node.source);
  put(json, "saved", node.saved);
  put(json, "saves_tensors", node.saves_tensors);
  put(json, "forward_flops", node.forward_flops);
  put(json, "gradient_flops", node.gradient_flops);
  return json;
}

void read(const Json& json, Node& node) {
  node.role = parse_role(json);
  get(json, "op", node.op);
  get(json, "parameter", node.parameter);
  if (auto next = json.find("next"); next != json.end())
    for (const Json& edge : *next) node.next.push_back(edge_from(edge));
  get(json, "module", node.module);
  get(json, "source", node.source);
  get(json, "saved", node.saved);
  get(json, "saves_tensors", node.saves_tensors);
  get(json, "forward_flops", node.forward_flops);
  get(json, "gradient_flops", node.gradient_flops);
}

Json image(const Region& region) {
  Json json{{"name", region.name}, {"kind", to_string(region.kind)}, {"begin", region.begin}, {"end", region.end}};
  put(json, "parent", region.parent, none);
  put(json, "nested_outputs", region.nested_outputs);
  put(json, "source", region.source);
  put(json, "place", region.place);
  put(json, "origin", region.origin);
  put(json, "argument_dtypes", region.argument_dtypes);
  put(json, "constant_flops", region.constant_flops);
  return json;
}

void read(const Json& json, Region& region) {
  json.at("name").get_to(region.name);
  region.kind = parse_kind(json);
  region.begin = small_integer(json.at("begin"));
  region.end = small_integer(json.at("end"));
  get(json, "parent", region.parent);
  get(json, "nested_outputs", region.nested_outputs);
  get(json, "source", region.source);
  get(json, "place", region.place);
  get(json, "origin", region.origin);
  get(json, "argument_dtypes", region.argument_dtypes);
  get(json, "constant_flops", region.constant_flops);
}

Json image(const Input& input) {
  Json json{{"name", input.name}, {"dtype", input.dtype}, {"shape", input.shape}};
  put(json, "requires_grad", input.requires_grad);
  put(json, "origin", input.origin);
  return json;
}

void read(const Json& json, Input& input) {
  json.at("name").get_to(input.name);
  get(json, "dtype", input.dtype);
  get(json, "shape", input.shape);
  get(json, "requires_grad", input.requires_grad);
  get(json, "origin", input.origin);
}

Json image(const Output& output) {
  Json json{{"path", output.path}, {"dtype", output.dtype}, {"shape", output.shape}, {"edge", image(output.edge)}};
  put(json, "found_by_ddp", output.found_by_ddp, true);
  put(json, "in_loss", output.in_loss);
  put(json, "behind_sink", output.behind_sink, output.found_by_ddp);
  put(json, "direct", output.direct, output.found_by_ddp);
  return json;
}

void read(const Json& json, Output& output) {
  json.at("path").get_to(output.path);
  get(json, "dtype", output.dtype);
  get(json, "shape", output.shape);
  output.edge = edge_from(json.at("edge"));
  get(json, "found_by_ddp", output.found_by_ddp);
  get(json, "in_loss", output.in_loss);
  output.behind_sink = output.direct = output.found_by_ddp;
  get(json, "behind_sink", output.behind_sink);
  get(json, "direct", output.direct);
}

Json image(const ExportedSetup& setup) {
  if (!setup.known) return nullptr;
  return {{"find_unused_parameters", setup.find_unused_parameters},
          {"static_graph", setup.static_graph},
          {"bucket_cap_mb", setup.bucket_cap_mb ? Json(*setup.bucket_cap_mb) : Json(nullptr)},
          {"gradient_as_bucket_view", setup.gradient_as_bucket_view}};
}

void read(const Json& json, ExportedSetup& setup) {
  setup.known = !json.is_null();
  if (!setup.known) return;
  get(json, "find_unused_parameters", setup.find_unused_parameters);
  get(json, "static_graph", setup.static_graph);
  get(json, "gradient_as_bucket_view", setup.gradient_as_bucket_view);
  if (auto cap = json.find("bucket_cap_mb"); cap != json.end() && !cap->is_null()) setup.bucket_cap_mb = cap->get<double>();
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
std::string list_of(const char* key, const std::vector<T>& elements) {
  std::string text = ",\n\"" + std::string(key) + "\": [";
  const char* separator = "\n ";
  for (const T& element : elements) {
    text += separator + text_of(image(element));
    separator = ",\n ";
  }
  return text + "]";
}

template <typename T>
void read_list(const Json& json, const char* key, std::vector<T>& elements) {
  if (auto found = json.find(key); found != json.end())
    for (const Json& element : *found) read(element, elements.emplace_back());
}

Capture capture_from(const Json& json) {
  if (json.at("schema") != schema) fail(json, "its schema is not " + std::string(schema));
  Capture capture;
  get(json, "model", capture.model);
  get(json, "torch", capture.torch);
  get(json, "written_by", capture.written_by);
  if (auto exported = json.find("exported"); exported != json.end()) read(*exported, capture.exported);
  get(json, "notes", capture.notes);
  get(json, "varying", capture.varying);
  read_list(json, "inputs", capture.inputs);
  read_list(json, "outputs", capture.outputs);
  read_list(json, "parameters", capture.parameters);
  read_list(json, "regions", capture.regions);
  get(json, "regions_known", capture.regions_known);
  get(json, "constant_flops", capture.constant_flops);
  read_list(json, "storages", capture.storages);
  read_list(json, "nodes", capture.nodes);
  return capture;
}

// nlohmann's messages without their "[json.exception.type_error.302] " in front.
std::string plain_words(const Json::exception& error) {
  std::string words = error.what();
  std::size_t bracket = words.find("] ");
  return bracket == std::string::npos ? words : words.substr(bracket + 2);
}

}  // namespace

Capture parse_capture(std::string_view text, const std::string& subject) {
  Capture capture;
  try {
    capture = capture_from(Json::parse(text));
  } catch (const Json::exception& error) {
    throw Error(Failure::not_a_model, subject, "is not a capture: " + plain_words(error), "write one with --save-capture");
  }
  validate(capture, subject);
  return capture;
}

Capture read_capture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Failure::not_a_model, path, "cannot be read", "check the path and its permissions");
  return parse_capture(std::string(std::istreambuf_iterator<char>(file), {}), path);
}

std::string to_json(const Capture& capture) {
  std::string text = "{\"schema\": " + text_of(schema);
  auto member = [&](const char* key, const Json& value) { text += ",\n\"" + std::string(key) + "\": " + text_of(value); };
  member("model", capture.model);
  member("torch", capture.torch);
  member("written_by", capture.written_by);
  member("exported", image(capture.exported));
  member("regions_known", capture.regions_known);
  if (capture.constant_flops != 0) member("constant_flops", capture.constant_flops);
  member("notes", capture.notes);
  if (!capture.varying.empty()) member("varying", capture.varying);
  text += list_of("inputs", capture.inputs) + list_of("outputs", capture.outputs) + list_of("parameters", capture.parameters);
  text += list_of("regions", capture.regions) + list_of("storages", capture.storages) + list_of("nodes", capture.nodes);
  return text + "}\n";
}

void write_capture(const Capture& capture, const std::string& path) {
  write_file(path, to_json(capture));
}

}  // namespace gradscan
