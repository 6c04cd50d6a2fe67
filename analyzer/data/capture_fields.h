// The members of a Capture, described once (analyzer/json/object.h): what docs/schema/gradscan-capture-1.json says.
#pragma once

#include "analyzer/data/spaces.h"
#include "analyzer/data/words.h"
#include "analyzer/json/object.h"
#include "gradscan/capture.h"

namespace gradscan {

using forms::As;

// Two whole numbers, [first, second]. `problem` says of anything else what it is not.
inline void read_pair(const forms::Json& json, int& first, int& second, const char* problem) {
  if (!json.is_array() || json.size() != 2) throw forms::Malformed(problem);
  forms::inside(std::size_t{0}, [&] { forms::Whole{}.read(json[0], first); });
  forms::inside(std::size_t{1}, [&] { forms::Whole{}.read(json[1], second); });
}

inline forms::Json schema_of_pair(forms::Definitions& definitions) {
  return {{"type", "array"}, {"items", forms::at_least(0).schema(definitions)}, {"minItems", 2}, {"maxItems", 2}};
}

// [node, slot], or null for none.
struct EdgeForm {
  forms::Json write(GradEdge edge, const forms::Lists&) const {
    return edge.node == none ? forms::Json() : forms::Json::array({edge.node, edge.slot});
  }
  void read(const forms::Json& json, GradEdge& edge) const {
    if (!json.is_null()) read_pair(json, edge.node, edge.slot, " is neither [node, slot] nor null");
  }
  void check(GradEdge edge, const forms::Lists& lists) const {
    if (edge.node == none) return;
    lists.check(spaces::node, edge.node);
    if (edge.slot < 0) throw forms::Malformed("[1] is negative");
  }
  forms::Json schema(forms::Definitions& definitions) const { return forms::or_null(schema_of_pair(definitions)); }
};

inline constexpr auto shape_form = forms::list(forms::at_least(0));

template <typename Fields>
void describe(Fields& fields, As<ExportedSetup>) {
  fields.object("exported", "What the exporting script says of its DistributedDataParallel.");
  fields.always("find_unused_parameters", &ExportedSetup::find_unused_parameters, "Its argument.");
  fields.always("static_graph", &ExportedSetup::static_graph, "Its argument.");
  fields.always("bucket_cap_mb", &ExportedSetup::bucket_cap_mb, "Its argument, in MiB; null if it is left alone.");
  fields.always("gradient_as_bucket_view", &ExportedSetup::gradient_as_bucket_view, "Its argument.");
}

template <typename Fields>
void describe(Fields& fields, As<Input>) {
  fields.object("input", "A tensor that forward is run with.");
  fields.required("name", &Input::name, "Its name.");
  fields.always("dtype", &Input::dtype, "torch's name without torch.: float32");
  fields.always("shape", &Input::shape, "Its extents.", shape_form);
  fields.optional("requires_grad", &Input::requires_grad, "Whether it requires grad.");
  fields.optional("origin", &Input::origin, "Where its dtype and shape are from.");
}

// Members of an Output that reports tell in another order.
template <typename Fields>
void describe_in_loss(Fields& fields) {
  fields.optional("in_loss", &Output::in_loss, "Whether the loss is computed from it.");
}

template <typename Fields>
void describe_found_by_ddp(Fields& fields) {
  fields.optional("found_by_ddp", &Output::found_by_ddp, "Whether DDP finds it in forward's return value.");
}

template <typename Fields>
void describe_tensor(Fields& fields) {
  fields.required("path", &Output::path, "Where it is in forward's return value: output, output[1], output['loss']");
  fields.always("dtype", &Output::dtype, "torch's name without torch.: float32");
  fields.always("shape", &Output::shape, "Its extents.", shape_form);
}

template <typename Fields>
void describe_place(Fields& fields) {
  fields.follows("behind_sink", &Output::behind_sink, &Output::found_by_ddp,
                 "Whether DDP puts its own node behind it: not inside of a dataclass. Its default is found_by_ddp.");
  fields.follows("direct", &Output::direct, &Output::found_by_ddp,
                 "Whether it is the return value itself or a member of the tuple that is. Its default is found_by_ddp.");
}

template <typename Fields>
void describe(Fields& fields, As<Output>) {
  fields.object("output", "A tensor in forward's return value.");
  describe_tensor(fields);
  fields.required("edge", &Output::edge, "Its gradient edge: [node, slot]; null if it does not require grad under any kind.",
                  EdgeForm{});
  describe_found_by_ddp(fields);
  describe_in_loss(fields);
  describe_place(fields);
}

template <typename Fields>
void describe(Fields& fields, As<Parameter>) {
  fields.object("parameter", "A parameter. DDP's index is its position among those that require grad and are not ignored.");
  fields.required("name", &Parameter::name, "Its first name in named_parameters() order: layer4.2.bn3.weight");
  fields.always("shape", &Parameter::shape, "Its extents.", shape_form);
  fields.always("dtype", &Parameter::dtype, "torch's name without torch.: float32");
  fields.optional("aliases", &Parameter::aliases, "The further names of a shared parameter, in named_parameters() order.");
  fields.optional("requires_grad", &Parameter::requires_grad, "Whether it requires grad.");
  fields.optional("ignored", &Parameter::ignored,
                  "Whether DDP is told to ignore it: it is trained, has no index, and its node is a leaf.");
  fields.optional("ddp_name", &Parameter::ddp_name,
                  "The name that DDP prints, where that is not the last alias or, without any, the name.");
}

template <typename Fields>
void describe(Fields& fields, As<Region>) {
  using forms::Index;
  fields.object("region", "One executed checkpoint(...) call.");
  fields.required("name", &Region::name, "A module path or the name of the checkpointed function.");
  fields.always("kind", &Region::kind, "Its kind; off: it is not checkpointed.");
  fields.required("begin", &Region::begin, "The node that stands for its direct tensor arguments.", Index{spaces::node});
  fields.required("end", &Region::end, "The node that stands for its tensor outputs.", Index{spaces::node});
  fields.optional("parent", &Region::parent, "The region around it, which stands before it; -1 if there is none.",
                  forms::IndexOrMinusOne{spaces::region});
  fields.optional("nested_outputs", &Region::nested_outputs,
                  "Slots of its end that are not tensors at the top level of the result.", forms::list(forms::at_least(0)));
  fields.optional("source", &Region::source, "Where checkpoint was called: resnet.py:88");
  fields.optional("place", &Region::place,
                  "The user's own line at that call, on the machine that exported: where source is, if that is in no installed "
                  "package (site-packages, dist-packages), else the innermost line of the call's stack that is in none.");
  fields.optional(
      "origin", &Region::origin,
      "How it is known. Function: a custom autograd Function that runs a backward of its own; module: a mere call of a "
      "module, which could be checkpointed, \"module that changes an argument\": one that could not.");
  fields.optional(
      "recomputation", &Region::recomputation,
      "How the tensors differ that its function saves when it runs a second time, as backward would run it; empty: they "
      "do not, or this was not checked.");
  fields.optional(
      "mismatch", &Region::mismatch,
      "What torch's non-reentrant checkpoint makes of that: it raises an error, it goes unnoticed although backward "
      "uses other tensors, or it is harmless, because the second run stops before the difference; empty: unknown.");
  fields.optional("argument_dtypes", &Region::argument_dtypes,
                  "Those of the direct tensor arguments, in the order of its begin's slots; empty if they are not known.");
  fields.optional("constant_flops", &Region::constant_flops,
                  "FLOPs of operations in it, and in no region inside of it, that have no node because no gradient flows "
                  "through them.",
                  forms::at_least(0));
}

template <typename Fields>
void describe(Fields& fields, As<Storage>) {
  fields.object("storage", "Memory that is saved for backward, each storage once.");
  fields.required("bytes", &Storage::bytes, "Its size.", forms::at_least(0));
  fields.optional("activation", &Storage::activation, "False for that of a parameter, buffer or input, which is alive anyway.");
}

template <typename Fields>
void describe(Fields& fields, As<Node>) {
  using forms::at_least, forms::list;
  fields.object("node", "An autograd node.");
  fields.optional("role", &Node::role,
                  "parameter and leaf accumulate a gradient, of a parameter and of another tensor, and send none on; "
                  "region_begin and region_end are the boundaries of a region.");
  fields.optional("op", &Node::op, "torch's name of an operation's node: AddmmBackward0");
  fields.optional("parameter", &Node::parameter,
                  "Of a node with that role: its parameter. Each that requires grad has at most one node.",
                  forms::IndexOrMinusOne{spaces::parameter});
  fields.optional("next", &Node::next,
                  "Its edges: [node, slot], the receiver of this gradient, which stands before it, and which of the receiver's "
                  "inputs it is; or null, where no gradient flows.",
                  list(EdgeForm{}));
  fields.optional("module", &Node::module, "Path of the module whose forward made it; empty for the root.");
  fields.optional("source", &Node::source, "The user's source line: resnet.py:88");
  fields.optional("saved", &Node::saved,
                  "Storages of the tensors that it saves for backward, without repetition; those of a region_begin are of the "
                  "direct tensor arguments, which a checkpoint keeps.",
                  list(forms::Index{spaces::storage}));
  fields.optional("saves_tensors", &Node::saves_tensors, "Whether it saves any tensor: such a node cannot run backward twice.");
  fields.optional("forward_flops", &Node::forward_flops,
                  "FLOPs of its forward, as torch.utils.flop_counter counts them: a multiplication and an addition are two.",
                  at_least(0));
  fields.optional("gradient_flops", &Node::gradient_flops,
                  "For each of next the FLOPs of the gradient that goes there; empty if none are known.", list(at_least(0)));
}

// [parameter, pass]
struct ObservedFiringForm {
  forms::Json write(const ObservedFiring& firing, const forms::Lists&) const { return {firing.parameter, firing.pass}; }
  void read(const forms::Json& json, ObservedFiring& firing) const {
    read_pair(json, firing.parameter, firing.pass, " is not [parameter, pass]");
  }
  void check(const ObservedFiring& firing, const forms::Lists& lists) const {
    lists.check(spaces::parameter, firing.parameter);
    if (firing.pass < 0) throw forms::Malformed("[1] is negative");
  }
  forms::Json schema(forms::Definitions& definitions) const { return schema_of_pair(definitions); }
};

template <typename Fields>
void describe(Fields& fields, As<Observation>) {
  fields.object("observation", "A real backward of the model, with its own checkpointing and without DDP.");
  fields.optional(
      "firings", &Observation::firings,
      "Each run of a gradient hook, in order: [parameter, pass]. Pass 0 is the backward of the loss; the others are "
      "inner backwards.",
      forms::list(ObservedFiringForm{}));
  fields.optional("reason", &Observation::reason, "Why there was none: verify=False");
  fields.optional("error", &Observation::error,
                  "With which it failed; firings is then empty. An iteration after the first is named.");
}

template <typename Fields>
void describe(Fields& fields, As<Disagreement>) {
  fields.object("disagreement", "A parameter whose hook fires otherwise in a real backward than gradscan predicts.");
  fields.required("parameter", &Disagreement::parameter, "Its name.");
  fields.required("predicted", &Disagreement::predicted, "Firings in one backward, as predicted.", forms::at_least(0));
  fields.required("observed", &Disagreement::observed, "Firings in a real backward.", forms::at_least(0));
  fields.required("predicted_inner", &Disagreement::predicted_inner, "Those predicted in inner backwards.", forms::at_least(0));
  fields.required("observed_inner", &Disagreement::observed_inner, "Those observed in inner backwards.", forms::at_least(0));
}

template <typename Fields>
void describe(Fields& fields, As<Capture>);

// Another whole capture.
struct CaptureForm {
  forms::Json write(const Capture& capture, const forms::Lists&) const { return forms::Document<Capture>{}.write(capture); }
  void read(const forms::Json& json, Capture& capture) const {
    if (json.is_object() && json.contains("further")) throw forms::Malformed(".further: a further graph has none of its own");
    forms::Document<Capture>{}.read(json, capture);
  }
  void check(const Capture& capture, const forms::Lists&) const { forms::Document<Capture>{}.check(capture); }
  forms::Json schema(forms::Definitions&) const { return {{"$ref", "#"}}; }
};

template <typename Fields>
void describe(Fields& fields, As<Capture>) {
  using forms::counted;
  fields.document("gradscan-capture/1", "capture",
                  "What gradscan knows of one training iteration of one model, without weights.");
  fields.always("model", &Capture::model, "The model's file name, without its folder.");
  fields.always("torch", &Capture::torch, "Version of the torch that made the capture.");
  fields.always("written_by", &Capture::written_by, "Version of the torch that wrote the model; empty if it is not known.");
  fields.always("exported", &Capture::exported,
                "What the exporting script says of its DistributedDataParallel; null if it says nothing.",
                forms::Known<ExportedSetup>{&ExportedSetup::known});
  fields.always("regions_known", &Capture::regions_known,
                "Whether forward executes no regions but those named here, as whoever wrote the file has seen every call of "
                "checkpoint.");
  fields.optional("constant_flops", &Capture::constant_flops, "As a region's, outside all regions.", forms::at_least(0));
  fields.always("notes", &Capture::notes, "Sentences that a report repeats.");
  fields.optional("varying", &Capture::varying,
                  "Why iterations may run other graphs than those in this file: forward draws Python's random numbers");
  fields.optional("dropping", &Capture::dropping, "Why iterations may leave layers out: encoder has layerdrop=0.1");
  fields.optional("ended", &Capture::ended, "Why no more iterations could be recorded.");
  fields.optional("observed", &Capture::observed, "A real backward of the model that the capture describes.",
                  forms::Known<Observation>{&Observation::made});
  fields.optional("disagreements", &Capture::disagreements,
                  "Where such a backward, of the model before it was changed, does not agree with the graph.");
  fields.optional("backward_error", &Capture::backward_error,
                  "With which such a backward failed, though the graph before it was changed does not explain it.");
  fields.optional(
      "further", &Capture::further,
      "Captures of the other graphs that forward built, for the same model and without further ones of their own; each "
      "graph stands once, in the order in which forward first built it.",
      forms::list(CaptureForm{}));
  fields.optional("turns", &Capture::turns,
                  "For each recorded forward, in order: 0 for this graph, k for the k-th of further. If it is left out, each "
                  "graph has one turn.",
                  forms::list(forms::at_least(0)));
  fields.always("inputs", &Capture::inputs, "What forward is run with.");
  fields.always("outputs", &Capture::outputs, "The tensors in forward's return value.");
  fields.optional("loss_guessed", &Capture::loss_guessed,
                  "Whether in_loss of the outputs is a guess, because the script did not say what the loss is computed from.");
  fields.always("parameters", &Capture::parameters,
                "The model's parameters, without repetition, in named_parameters() order, frozen ones too.",
                counted<Parameter>(spaces::parameter));
  fields.always("regions", &Capture::regions, "Executed checkpoint(...) calls, parents before their children.",
                counted<Region>(spaces::region));
  fields.always("storages", &Capture::storages, "What nodes save.", counted<Storage>(spaces::storage));
  fields.always("nodes", &Capture::nodes, "The graph, in the order of creation.", counted<Node>(spaces::node));
}

}  // namespace gradscan
