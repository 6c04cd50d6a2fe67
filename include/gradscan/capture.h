// A Capture: everything gradscan needs to know about one training iteration of one model, as plain data.
//
// It is made once per model, by running forward *plainly* (no checkpoint region is checkpointed, gradients are recorded) and
// walking the resulting autograd graph. What each kind of checkpointing would do is worked out from it afterwards, without the
// model, its weights or torch. It can be written to and read from JSON (schema "gradscan-capture/1", see
// docs/capture-format.md).
//
//     Capture capture = read_capture("model.capture.json");
//     for (int id : ddp_order(capture)) std::cout << capture.parameters[id].name << '\n';
//
// The graph. A vertex (Node) is one autograd node; an edge leads from a node to the one that receives its gradient next, so
// edges point from the outputs back to the parameters. Nodes are in order of creation, which guarantees two things that every
// pass relies on (validate() checks them):
//   - an edge always points to a node with a lower number;
//   - the nodes of a checkpoint region are contiguous: those between its region_begin and its region_end node; regions nest.
//
// Region boundaries. A region_begin node stands for the region's direct tensor arguments: slot k is the k-th of them, and
// next[k] is the gradient edge of that argument outside the region. A region_end node stands for the region's tensor outputs:
// slot k is the k-th, next[k] its gradient edge inside the region. A node that uses an argument inside the region has an edge
// to (begin, k); a node that uses an output outside has an edge to (end, k). An edge from inside that skips region_begin to an
// older node (other than a parameter) is a closure: the region's function uses an outer tensor that is not an argument.
//
// A superset. The kind of a region decides which tensors require grad (a reentrant region's floating-point outputs always
// do if one of its arguments does, and never otherwise). So the capture holds every edge that may exist under any kind: a
// region_end slot may have no inner edge (the plain run detached that output) and still be the target of outer edges.
// Readers of the graph prune it: a node does not exist if none of its edges leads to something that requires grad.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

inline constexpr int none = -1;  // "no node", "no parameter", "no region" wherever a number is expected

struct Parameter {
  std::string name{};                  // first name in named_parameters() order: "layer4.2.bn3.weight"
  std::vector<std::string> aliases{};  // further names of a shared parameter, in named_parameters() order
  std::vector<std::int64_t> shape{};
  std::string dtype = "float32";  // torch's name without "torch."
  bool requires_grad = true;
  bool ignored = false;       // by DDP, as the script requested: it is trained, has no index, and its node is a Role::leaf
  std::string ddp_name = "";  // the name that DDP prints, if ddp_name() would not find it otherwise

  bool operator==(const Parameter&) const = default;
};

struct GradEdge {
  int node = none;  // none: no gradient flows here
  int slot = 0;     // which input of that (backward) node; which argument or output of a region boundary
};

enum class Role {
  operation,     // the backward node of an operation
  parameter,     // the AccumulateGrad node of a parameter
  leaf,          // the AccumulateGrad node of another tensor that requires grad (an input, a requires_grad_() in forward)
  region_begin,  // boundary: the region's direct tensor arguments
  region_end,    // boundary: the region's tensor outputs
};

struct Node {
  Role role = Role::operation;
  std::string op{};  // torch's name of an operation's node: "AddmmBackward0"; empty for other roles
  std::vector<GradEdge> next{};
  int parameter = none;  // Role::parameter: position in Capture::parameters
  std::string module{};  // path of the module whose forward made it: "layer4.2.conv1"; empty for the root
  std::string source{};  // the user's source line: "resnet.py:88"; empty if unknown
  // Positions in Capture::storages of the tensors it saves for backward, without repetition. For a region_begin: those of the
  // region's direct tensor arguments, which a checkpoint keeps.
  std::vector<int> saved{};
  bool saves_tensors = false;  // whether it saves any tensor: such a node cannot run backward twice
  // Multiplications and additions of its forward, as torch.utils.flop_counter counts them; 0 if unknown.
  std::int64_t forward_flops = 0;
  // For each of `next`, those of computing the gradient that goes there, likewise; empty if none are known.
  std::vector<std::int64_t> gradient_flops{};
};

struct Storage {
  std::int64_t bytes = 0;
  bool activation = true;  // false: a parameter, buffer or input, which is alive anyway
};

enum class Kind { reentrant, non_reentrant, off };

// How gradscan knows of a region.
enum class RegionOrigin {
  unknown,
  marker,           // the exporter saw the call of checkpoint()
  function,         // the exporter saw a custom autograd Function run a backward of its own
  wrapper,          // a CheckpointWrapper module in the file
  source_range,     // source lines of torch's checkpoint() in the file
  pattern,          // --checkpoint
  module,           // a mere call of a module, which could be checkpointed (CaptureOptions::every_module)
  changing_module,  // likewise, but it changes an argument in place: recomputation would find the changed values
};

// How gradscan knows dtype and shape of an input.
enum class InputOrigin {
  unknown,
  recorded,  // the forward that was recorded
  traced,    // the file's trace
  metadata,  // the file's gradscan.json
  option,    // --input
};

// What torch's non-reentrant checkpoint makes of a recomputation that differs from forward. Nothing notices it in a reentrant
// one.
enum class Mismatch {
  unknown,
  raises,     // it raises CheckpointError
  unnoticed,  // it raises nothing, and backward uses tensors that forward did not save
  harmless,   // it raises nothing: the recomputation stops before it differs
};

// One executed checkpoint(...) call.
struct Region {
  std::string name{};  // module path or the checkpointed function's name: "layer4.2", "Bottleneck.inner"
  Kind kind = Kind::reentrant;
  int parent = none;                  // the region that encloses it; parents precede children
  int begin = none, end = none;       // its boundary nodes
  std::vector<int> nested_outputs{};  // slots of `end` that are not tensors at the top level of the result (inside a dict or
                                      // list): see nested_output_edge()
  std::string source{};               // where checkpoint was called: "resnet.py:88"; empty if unknown
  RegionOrigin origin = RegionOrigin::unknown;
  // The user's own line for that call, "/home/me/model.py:88": that of `source` unless it is in an installed package, else the
  // innermost line of the call's stack outside installed packages. Empty if unknown.
  std::string place{};
  std::vector<std::string> argument_dtypes{};  // of the direct tensor arguments, by slot: "float32"; empty: unknown
  // How the tensors differ that its function saves when it runs a second time, as backward would run it; empty: they do not, or
  // this was not checked. "the first run saves 5 tensors, the second 3"
  std::string recomputation{};
  Mismatch mismatch = Mismatch::unknown;  // if there is a `recomputation`
  // Of its operations (but not those of nested regions) that have no node, because no gradient flows through them.
  std::int64_t constant_flops = 0;
};

struct Output {
  std::string path{};  // "output", "output[1]", "output['loss']"
  std::string dtype{};
  std::vector<std::int64_t> shape{};
  GradEdge edge{};           // none: does not require grad under any kind
  bool found_by_ddp = true;  // whether DDP finds it in forward's return value (tensor, list, tuple, dict, dataclass)
  bool in_loss = false;      // whether the loss is computed from it
  bool behind_sink = true;   // whether DDP puts its sink behind it: not inside a dataclass, which torch's pytrees do not open
  bool direct = true;        // whether it is forward's return value itself or a member of the tuple that is
};

struct Input {
  std::string name{};
  std::string dtype{};
  std::vector<std::int64_t> shape{};
  bool requires_grad = false;
  InputOrigin origin = InputOrigin::unknown;

  bool operator==(const Input&) const = default;
};

// What the exporting script said about its DistributedDataParallel; members are empty if it said nothing.
struct ExportedSetup {
  bool known = false;
  bool find_unused_parameters = false;
  bool static_graph = false;
  std::optional<double> bucket_cap_mb{};  // MiB; empty: not set
  bool gradient_as_bucket_view = false;
};

// One run of a gradient hook in a real backward.
struct ObservedFiring {
  int parameter = 0;  // position in Capture::parameters
  int pass = 0;       // which backward: 0 is that of the loss, the others are inner ones, in the order in which they began

  bool operator==(const ObservedFiring&) const = default;
};

// What was seen when the capture was recorded and the model ran once more, forward and backward, with its own checkpointing.
struct Observation {
  bool made = false;                      // false: the file says nothing about such a run
  std::vector<ObservedFiring> firings{};  // in order
  std::string reason{};                   // why there was none: "verify=False"
  std::string error{};                    // with which training failed, without DDP; firings is then empty

  bool operator==(const Observation&) const = default;
};

// A parameter whose hook fires otherwise in a real backward than gradscan predicts: gradscan has not seen all of the model.
struct Disagreement {
  std::string parameter{};                      // its name
  int predicted = 0, observed = 0;              // firings in one backward
  int predicted_inner = 0, observed_inner = 0;  // those of them in inner backwards

  bool operator==(const Disagreement&) const = default;
};

struct Capture {
  std::string model{};       // file name without its folder
  std::string torch{};       // version of the torch that made this capture
  std::string written_by{};  // version of the torch that wrote the model file; empty if unknown
  ExportedSetup exported{};
  std::vector<Parameter> parameters{};  // de-duplicated, in named_parameters() order, frozen ones too
  std::vector<Storage> storages{};
  std::vector<Node> nodes{};
  std::vector<Region> regions{};
  bool regions_known = false;  // forward executes no others: the exporter saw every call of checkpoint
  std::vector<Input> inputs{};
  std::vector<Output> outputs{};
  bool loss_guessed = false;         // the script did not say what the loss is computed from: Output::in_loss is a guess
  std::vector<std::string> notes{};  // sentences that a report must repeat (tracer warnings, what could not be seen)
  std::int64_t constant_flops = 0;   // like Region::constant_flops, outside all regions
  // Why iterations may run other graphs than those here: because they leave layers out ("encoder has layerdrop=0.1"), or for
  // other reasons ("forward draws Python's random numbers").
  std::vector<std::string> dropping{}, varying{};
  std::vector<std::string> ended{};  // why no more iterations could be recorded: "a later forward ... fails (ValueError: ...)"
  Observation observed{};            // of this graph, as it is; not made if the graph was changed after it
  std::vector<Disagreement> disagreements{};  // with an observation of this graph before it was changed
  std::string backward_error{};               // of such an observation, if the graph before it was changed does not explain it
  std::vector<Capture> further{};  // other graphs that forward built for the same model, each one once; see graphs_of()
  // For each recorded forward, in order: 0 for this graph, k for the k-th of `further`. Empty: each graph once.
  std::vector<int> turns{};
};

// All graphs of a capture, to be played in turn (see replay.h): the capture itself, which keeps its further ones and the turns,
// and these, called "m.pt, graph 2".
std::vector<Capture> graphs_of(Capture capture);

// Positions in capture.parameters of the parameters that DDP manages, in DDP's order: the k-th has index k in DDP's messages.
std::vector<int> ddp_order(const Capture& capture);

// The inverse: for each of capture.parameters, its index in DDP's messages; none if it is frozen or ignored.
std::vector<int> ddp_indices(const Capture& capture);

// The name that DDP prints for a parameter: Parameter::ddp_name, else its last alias, else its name; with a leading dot for a
// parameter of the root module.
std::string ddp_name(const Parameter& parameter);

// For every node, its innermost region; none outside all regions. Boundary nodes belong to the region that they bound.
std::vector<int> innermost_regions(const Capture& capture);

// Where the gradient of a nested output of a reentrant region really goes. torch attaches a history to the region's outputs,
// but not to tensors inside a dict or list: an argument or outer tensor that is returned unchanged keeps its own history, a
// tensor that is also a top-level output shares that output's history, and all others come back without grad (none). The edge
// belongs to the scope around the region.
GradEdge nested_output_edge(const Capture& capture, const Region& region, int slot);

// Bytes of one element; throws Error (not_a_model) for an unknown dtype.
std::int64_t element_size(std::string_view dtype);

std::string_view to_string(Kind kind);            // "reentrant", "non_reentrant", "off"
std::string_view to_string(Role role);            // "operation", "parameter", "leaf", "region_begin", "region_end"
std::string_view to_string(Mismatch mismatch);    // "raises", "unnoticed", "harmless"; empty: unknown
std::string_view to_string(RegionOrigin origin);  // "marker", "Function", ..., as in a capture
std::string_view to_string(InputOrigin origin);   // "recorded", "traced input", ..., as in a capture

// Throws Error (not_a_model, with `subject` as its subject) if the capture breaks a rule stated above, contains a number that
// is out of range or has a region without boundary nodes.
void validate(const Capture& capture, const std::string& subject);

// JSON. Both readers validate; parse_capture names `subject` in its errors. write_capture replaces the file atomically.
Capture read_capture(const std::string& path);
Capture parse_capture(std::string_view json, const std::string& subject);
std::string to_json(const Capture& capture);
void write_capture(const Capture& capture, const std::string& path);

}  // namespace gradscan
