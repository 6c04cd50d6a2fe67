// The members of a Report, described once (analyzer/json/object.h): what docs/schema/gradscan-report-1.json says.
//
// A member that is missing when a report is read has its default, for older reports have fewer; those without which a report
// would seem to have found nothing are required.
#pragma once

#include <array>

#include "analyzer/data/capture_fields.h"
#include "analyzer/data/setup_fields.h"
#include "analyzer/data/spaces.h"
#include "analyzer/json/object.h"
#include "gradscan/firings.h"
#include "gradscan/report.h"

namespace gradscan {

constexpr auto words_of(Severity) {  // of findings and verdicts
  return std::array<Word<Severity>, 5>{{{Severity::error, "error"},
                                        {Severity::silent, "silent"},
                                        {Severity::unknown, "unknown"},
                                        {Severity::note, "note"},
                                        {Severity::clean, "pass"}}};
}

// Why a parameter fires: {"region": 15}, {"outer": true} or {"around_model": true}.
struct CauseForm {
  forms::Json write(Cause cause, const forms::Lists&) const {
    if (cause == around_model) return {{"around_model", true}};
    return cause == outer_graph ? forms::Json{{"outer", true}} : forms::Json{{"region", cause.region()}};
  }
  void read(const forms::Json& json, Cause& cause) const {
    if (!json.is_object()) throw forms::Malformed(" is no object");
    if (json.contains("region"))
      return forms::inside("region", [&] {
        int region = 0;
        forms::Whole{}.read(json.at("region"), region);
        if (region < 0) throw forms::Malformed(": " + std::to_string(region) + " is no region");
        cause = region;
      });
    cause = is_true(json, "around_model") ? around_model : outer_graph;
    if (cause == outer_graph && !is_true(json, "outer")) throw forms::Malformed(" is no cause");
  }
  void check(Cause cause, const forms::Lists& lists) const {
    if (cause.is_region()) forms::inside("region", [&] { lists.check(spaces::region, cause.region()); });
  }
  forms::Json schema(forms::Definitions& definitions) const {
    definitions.by_name["cause"] = {
        {"description",
         "Why a gradient hook fires: the inner backward of a region, the outer graph's backward, or that of a "
         "checkpoint around the whole DDP model."},
        {"oneOf",
         {alternative("region", {{"type", "integer"}, {"minimum", 0}}), alternative("outer", {{"const", true}}),
          alternative("around_model", {{"const", true}})}}};
    return {{"$ref", "#/$defs/cause"}};
  }

 private:
  static bool is_true(const forms::Json& json, const char* key) {
    auto found = json.find(key);
    return found != json.end() && found->is_boolean() && found->get<bool>();
  }
  static forms::Json alternative(const char* key, const forms::Json& value) {
    return {{"type", "object"}, {"properties", {{key, value}}}, {"required", forms::Json::array({key})}};
  }
};

// Where something is used: {"region": 15}, or outside of all regions (none): {"outer": true}.
struct PlaceOfUseForm {
  forms::Json write(int region, const forms::Lists& lists) const { return CauseForm{}.write(region, lists); }
  void read(const forms::Json& json, int& region) const {
    Cause place = outer_graph;
    CauseForm{}.read(json, place);
    if (place == around_model) throw forms::Malformed(" is no place");
    region = place.is_region() ? place.region() : none;
  }
  void check(int region, const forms::Lists& lists) const { CauseForm{}.check(region, lists); }
  forms::Json schema(forms::Definitions& definitions) const { return CauseForm{}.schema(definitions); }
};

inline constexpr auto causes_form = forms::list(CauseForm{});
inline constexpr auto parameters_form = forms::ascending(forms::Index{spaces::parameter});
inline constexpr forms::IndexOrNull region_or_null{spaces::region};

using FiringsOfKind = decltype(ParameterReport::firings);
using ReadyMarks = decltype(ParameterReport::ready_marks);

template <typename Fields>
void describe(Fields& fields, As<FiringsOfKind>) {
  using forms::at_least;
  fields.object("firings",
                "Firings per iteration, over all forward calls, losses and backwards of the step, if all regions were "
                "of one kind.");
  fields.always("reentrant", &FiringsOfKind::reentrant, "If they were reentrant.", at_least(0));
  fields.always("non_reentrant", &FiringsOfKind::non_reentrant, "If they were not reentrant.", at_least(0));
  fields.always("off", &FiringsOfKind::off, "If nothing were checkpointed.", at_least(0));
}

template <typename Fields>
void describe(Fields& fields, As<ReadyMarks>) {
  using forms::at_least;
  fields.object(
      "ready_marks",
      "How often DDP marks the parameter ready per iteration; one is right. By default every firing is a mark. With "
      "find_unused_parameters firings through DDP's own node count too, and DDP's search adds one for every parameter "
      "that it does not see. With static_graph a parameter is marked once, with the last of the firings that "
      "iteration 0 has shown, or at once if there were none; 0: later iterations fire less often than that.");
  fields.always("default", &ReadyMarks::defaults, "With neither flag.", at_least(0));
  fields.always("find_unused_parameters", &ReadyMarks::find_unused_parameters, "With this flag.", at_least(0));
  fields.always("static_graph", &ReadyMarks::static_graph, "With this flag.", at_least(0));
}

template <typename Fields>
void describe_parameter_itself(Fields& fields) {
  fields.always("index", &ParameterReport::index, "Its number in DDP's messages, and its position in this list.");
  fields.required("name", &ParameterReport::name, "Its first name in named_parameters() order.");
  fields.always("aliases", &ParameterReport::aliases, "The further names of a shared parameter.");
  fields.always("shape", &ParameterReport::shape, "Its extents.", shape_form);
  fields.always("dtype", &ParameterReport::dtype, "torch's name without torch.: float32");
}

template <typename Fields>
void describe_parameter_firings(Fields& fields) {
  fields.always("firings", &ParameterReport::firings, "How often its gradient hook fires.");
  fields.always("ready_marks", &ParameterReport::ready_marks, "With the regions of setup.checkpointing, by flag.");
  fields.always("fired_by", &ParameterReport::fired_by, "The cause of each firing, with the regions of setup.checkpointing.",
                causes_form);
  fields.always("fired_by_sink", &ParameterReport::fired_by_sink,
                "Causes of further firings while DDP's own node stands behind forward (always with find_unused_parameters, in "
                "iteration 0 with static_graph): through outputs that the loss does not use.",
                causes_form);
  fields.always(
      "heard", &ParameterReport::heard,
      "Causes of the firings that DDP listens to in the requested setup: those of the first backward of the loss that is "
      "synchronised.",
      causes_form);
}

template <typename Fields>
void describe_parameter_use(Fields& fields) {
  fields.always("in_loss", &ParameterReport::in_loss,
                "Whether the loss depends on it through forward, if there were no checkpointing.");
  fields.always("used_by_loss", &ParameterReport::used_by_loss,
                "Whether the loss takes it besides forward's result (--used-outside, --zero-times).");
  fields.always("seen_if_off", &ParameterReport::seen_if_off,
                "Whether DDP's search for unused parameters would find it, if there were no checkpointing.");
  fields.always("seen_by_search", &ParameterReport::seen_by_search, "Whether DDP's search for unused parameters finds it.");
  fields.always("used_in", &ParameterReport::used_in,
                "Where forward uses it: the innermost regions, and outer for outside of all, which includes being a region's "
                "argument.",
                forms::ascending(PlaceOfUseForm{}));
  fields.always("idle_in", &ParameterReport::idle_in, "Positions in in_turn of the captures in which no backward reaches it.",
                forms::list(forms::Index{spaces::capture}));
  fields.always("returned_as", &ParameterReport::returned_as,
                "Path of the output that is this parameter itself; empty if there is none.");
  fields.always("lost_in", &ParameterReport::lost_in,
                "The region that is lost, with the part of this parameter's gradient that would come through it; null if there "
                "is none.",
                region_or_null);
}

template <typename Fields>
void describe(Fields& fields, As<ParameterReport>) {
  fields.object("parameter", "A parameter that DDP manages.");
  describe_parameter_itself(fields);
  describe_parameter_firings(fields);
  describe_parameter_use(fields);
}

// `place` leads from the described object to its Place's members.
template <typename Fields, typename Lead>
void describe_place(Fields& fields, Lead place) {
  fields.always("region", place(&Place::region), "The reentrant region whose output it is; then the rest is empty; else null.",
                region_or_null);
  fields.always("op", place(&Place::op), "torch's name of the node that made it: AddmmBackward0");
  fields.always("module", place(&Place::module), "Path of the module whose forward made it.");
  fields.always("source", place(&Place::source), "The user's source line: resnet.py:88");
}

template <typename Fields>
void describe(Fields& fields, As<Place>) {
  fields.object("place", "Where a tensor was made.");
  describe_place(fields, [](auto member) { return member; });
}

template <typename Fields>
void describe(Fields& fields, As<SecondRun>) {
  fields.object("second_run", "A node that saves tensors and that more than one backward comes to: torch stops at the second.");
  describe_place(fields, [](auto member) { return forms::through(&SecondRun::place, member); });
  fields.always("passes", &SecondRun::causes, "Causes of these backward passes.", causes_form);
}

template <typename Fields>
void describe(Fields& fields, As<Reach>) {
  fields.object("reach", "Whether a backward reaches a region.");
  fields.always("from_loss", &Reach::from_loss, "That of the loss.");
  fields.always("from_sink", &Reach::from_sink,
                "That through DDP's own node behind forward: with find_unused_parameters, and in the first iteration with "
                "static_graph.");
  fields.always("loses", &Reach::loses, "Whether part of a gradient is missing because backward does not get there.");
}

template <typename Fields>
void describe_region_itself(Fields& fields) {
  fields.always("id", &RegionReport::id, "Its number in causes, and its position in this list.");
  fields.always("in_turn", &RegionReport::in_turn, "Position in the report's in_turn of the capture that it is a region of.",
                forms::at_least(0));
  fields.always("name", &RegionReport::name, "A module path or the name of the checkpointed function.");
  fields.always("kind", &RegionReport::kind, "Its kind under setup.checkpointing.");
  fields.always("given", &RegionReport::given, "Its kind in the capture.");
  fields.always("parent", &RegionReport::parent, "The region around it, which stands before it; null if there is none.",
                region_or_null);
  fields.always("parameters", &RegionReport::parameters, "Indices of the parameters used inside, also those of nested regions.",
                parameters_form);
}

template <typename Fields>
void describe(Fields& fields, As<RegionReport>) {
  using forms::at_least;
  fields.object("region", "One executed checkpoint(...) call.");
  describe_region_itself(fields);
  fields.always("executed", &RegionReport::executed,
                "Whether backward runs its inner backward; false for regions that are not reentrant.");
  fields.always("lost", &RegionReport::lost, "Reentrant and not executed, although the loss depends on what it computes.");
  fields.always("arguments", &RegionReport::arguments, "Number of its direct tensor arguments.", at_least(0));
  fields.always("arguments_without_grad", &RegionReport::arguments_without_grad, "Positions of those that do not require grad.",
                forms::ascending(at_least(0)));
  fields.always("nested_outputs", &RegionReport::nested_outputs,
                "Number of outputs inside a dict or list, which a reentrant region returns without grad.", at_least(0));
  fields.always("closures", &RegionReport::closures,
                "Tensors made outside that the function of a reentrant region uses without having them as arguments.");
  fields.always("source", &RegionReport::source, "Where checkpoint was called: resnet.py:88");
  fields.always(
      "place", &RegionReport::place,
      "The user's own line at that call, /home/me/model.py:88, in no installed package if there is one such; empty if "
      "it is not known.");
  fields.always("origin", &RegionReport::origin, "How gradscan knows of it.");
  fields.optional("recomputation", &RegionReport::recomputation,
                  "How the tensors differ that its function saves when it runs a second time, as backward would run it.");
  fields.optional(
      "mismatch", &RegionReport::mismatch,
      "What torch's non-reentrant checkpoint makes of that: it raises an error, it goes unnoticed, or it is harmless.");
  fields.always("reach_as_given", &RegionReport::reach_as_given,
                "Whether its function runs a second time, if it is reentrant and other regions are as in the capture.");
  fields.always("reach_if_reentrant", &RegionReport::reach_if_reentrant, "The same if all regions are reentrant.");
  fields.always("reach_if_non_reentrant", &RegionReport::reach_if_non_reentrant,
                "The same if they are non-reentrant: whether backward needs what it saves.");
  fields.always("saved_bytes", &RegionReport::saved_bytes,
                "Activations that the forward inside saves for backward, each storage once.", at_least(0));
  fields.always("recompute_flops", &RegionReport::recompute_flops, "FLOPs of the forward inside; 0 if they are not known.",
                at_least(0));
}

template <typename Fields>
void describe(Fields& fields, As<Stage>) {
  fields.object("stage", "A region that no other encloses, or what the outer graph does between such regions.");
  fields.always("region", &Stage::region, "The region; null if it is none.", region_or_null);
  fields.always("label", &Stage::label, "The region's name, or the modules.");
  fields.always("parameters", &Stage::parameters, "Indices of the parameters used here.", parameters_form);
  fields.always("next", &Stage::next, "Positions of the stages that receive its gradients, which are later.",
                forms::list(forms::Index{spaces::stage}));
}

template <typename Fields>
void describe(Fields& fields, As<LocalGradient>) {
  using forms::at_least;
  fields.object("local", "A gradient that the ranks do not share after an iteration.");
  fields.always("parameter", &LocalGradient::parameter, "Index of the parameter.", forms::Index{spaces::parameter});
  fields.always("iterations", &LocalGradient::iterations, "In which the ranks end with different gradients.",
                forms::list(at_least(0)));
  fields.always("late", &LocalGradient::late,
                "Causes of its firings in the first of these that came after DDP had finished its reduction; empty: its bucket "
                "was never reduced.",
                causes_form);
  fields.always("bucket", &LocalGradient::bucket, "Position in the setup's buckets of the one in which it is reduced.",
                at_least(0));
}

template <typename Fields>
void describe(Fields& fields, As<Firing>) {
  fields.object("firing", "One run of a parameter's gradient hook.");
  fields.always("parameter", &Firing::parameter, "Index of the parameter.", forms::Index{spaces::parameter});
  fields.always("cause", &Firing::cause, "What fires it.", CauseForm{});
}

// What DDP does. Plans and comparisons tell of a verdict only this.
template <typename Fields, typename T>
void describe_outcome(Fields& fields, As<T>) {
  fields.required("outcome", &T::outcome, "What DDP does, usually in four iterations.");
  fields.always("iteration", &T::iteration, "In which the error is raised, from 0; null for pass.",
                forms::Optional<forms::Whole>{forms::at_least(0)});
  fields.always("message", &T::message, "DDP's own words, complete; empty for pass.");
}

template <typename Fields>
void describe_verdict_gradients(Fields& fields) {
  fields.always(
      "unsynchronised", &Verdict::unsynchronised,
      "Indices of parameters whose gradients differ between the ranks. Where an error is raised, this and what follows "
      "is empty.",
      parameters_form);
  fields.always("local", &Verdict::local, "Of each of these when and why.");
  fields.always("last_mark", &Verdict::last_mark,
                "Where firings came too late: the one with which all parameters had been marked; else null.");
  fields.always("untrained", &Verdict::untrained,
                "Indices of parameters that never get a gradient other than zero. The loss does not depend on one whose "
                "firings.off is 0; another has lost its gradient to checkpointing.",
                parameters_form);
}

template <typename Fields>
void describe(Fields& fields, As<Verdict>) {
  fields.object("verdict", "What DDP does in one setup, which differs from the one asked only in what is said here.");
  describe_row(fields, [](auto member) { return forms::through(&Verdict::setup, member); });
  describe_outcome(fields, As<Verdict>{});
  fields.optional("iterations", &Verdict::iterations, "The number of iterations that were to be replayed.", forms::at_least(1));
  fields.required("severity", &Verdict::severity, "How bad it is, with all that is known of the file.");
  fields.always("parameters", &Verdict::parameters, "Those that the message names, each with its name, in its order.",
                forms::list(forms::NamedIndex{spaces::parameter}));
  describe_verdict_gradients(fields);
}

template <typename Fields>
void describe(Fields& fields, As<Group>) {
  using forms::at_least;
  fields.object("group", "Parameters to which the same thing happens for the same reason.");
  fields.always("label", &Group::label, "What to call them: layer4.2, layer3.1 … layer3.5, fc");
  fields.always("regions", &Group::regions, "The regions involved; empty: outside all regions.",
                forms::list(forms::Index{spaces::region}));
  fields.always("parameters", &Group::parameters, "Their indices.", parameters_form);
  fields.always("folded", &Group::folded, "Number of equal neighbours that the group stands for.", at_least(0));
  fields.always("members", &Group::members,
                "Names of the parameters of one of them, without the module path that the label has.");
  fields.always("firings", &Group::firings,
                "Of each parameter, per iteration, in the requested setup; null if that is not the same for all.",
                forms::Optional<forms::Whole>{at_least(0)});
  fields.always("ready_marks", &Group::ready_marks, "Likewise.", forms::Optional<forms::Whole>{at_least(0)});
  fields.always("reason", &Group::reason, "Where they come from.");
}

template <typename Fields>
void describe(Fields& fields, As<Finding>) {
  fields.object("finding", "What is wrong, or worth knowing. One that is no note and that no baseline accepts is a conflict.");
  fields.required("rule", &Finding::rule,
                  "What is found: marked-ready-twice, unfinished-reduction, graph-changed, other-error, not-averaged, "
                  "not-trained, no-regions-named.");
  fields.required("level", &Finding::severity,
                  "error: DDP raises; silent: DDP says nothing although it is wrong; note: worth knowing.");
  fields.always("title", &Finding::title, "One line.");
  fields.always("why", &Finding::why, "Some sentences that are true for this case.");
  fields.always("accepted", &Finding::accepted, "The reason for which a baseline accepts it; else null.", forms::TextOrNull{});
  fields.always("groups", &Finding::groups, "All affected parameters, each in one group.");
}

template <typename Fields>
void describe(Fields& fields, As<Price>) {
  using forms::at_least;
  fields.object("price",
                "Memory in bytes and work in FLOPs of one forward and backward, for the inputs or in proportion for the "
                "batch asked. A training step is not counted: several forward calls are not added up.");
  fields.always(
      "outside", &Price::outside,
      "Bytes alive from forward until backward: saved outside of checkpointed regions, and the direct tensor arguments "
      "of the outermost ones.",
      at_least(0));
  fields.always(
      "largest", &Price::largest,
      "Bytes that come on top while the region is recomputed that needs most, with what is checkpointed inside of it.",
      at_least(0));
  fields.always("largest_region", &Price::largest_region, "That region; null if there is none.", region_or_null);
  fields.computed("peak", &Price::peak, "The sum of both. What backward frees meanwhile is not taken off.");
  fields.always("forward_flops", &Price::forward_flops, "Without recomputation; 0 if they are not known.", at_least(0));
  fields.always("backward_flops", &Price::backward_flops, "Likewise.", at_least(0));
  fields.always(
      "recompute_flops", &Price::recompute_flops,
      "Of forward, done again in backward. A region inside of another is done again for each of them; a non-reentrant "
      "one only until all that it saves is there.",
      at_least(0));
  fields.computed("recompute_share", &Price::recompute_share, "These as a share of forward and backward.");
}

template <typename Fields>
void describe(Fields& fields, As<PriceRow>) {
  fields.object("price_row", "Memory and work of one kind of checkpointing.");
  fields.always("checkpointing", &PriceRow::checkpointing, "The kind.");
  fields.always("price", &PriceRow::price, "What it needs.");
}

template <typename Fields>
void describe(Fields& fields, As<FixedMemory>) {
  using forms::at_least;
  fields.object("fixed", "Bytes that do not depend on checkpointing. Buffers of the model are not in it.");
  fields.always("parameters", &FixedMemory::parameters, "Frozen ones too.", at_least(0));
  fields.always("gradients", &FixedMemory::gradients, "Of those that require grad.", at_least(0));
  fields.always("buckets", &FixedMemory::buckets, "DDP's copies of the gradients; 0 with gradient_as_bucket_view.",
                at_least(0));
  fields.always("optimizer", &FixedMemory::optimizer, "Its state after the first step; null if no optimizer was named.",
                forms::Optional<forms::Whole>{at_least(0)});
}

template <typename Fields>
void describe(Fields& fields, As<Fix>) {
  fields.object("fix",
                "A change after which nothing is wrong: the report of the changed model in the changed setup has no "
                "conflict.");
  fields.always("change", &Fix::change, "What to write.");
  fields.always(
      "options", &Fix::options,
      "What to add to gradscan's command line to scan it, quoted for a shell. --fix N does the same for the N-th, from "
      "1. Empty where only that does: for regions that not every graph in in_turn has.");
  fields.computed(
      "condition",
      [](const Fix& fix) {
        std::string sentence;
        for (const std::string& caveat : fix.caveats) sentence += (sentence.empty() ? "" : "; ") + caveat;
        return sentence;
      },
      "The caveats as one sentence.");
  fields.always("caveats", &Fix::caveats, "What it takes beyond these iterations.");
  fields.always("setup", &Fix::setup, "The changed setup.");
  fields.always("edits", &Fix::edits, "Of the model, besides.");
  fields.always("price", &Fix::price, "Memory and work with it.");
}

template <typename Fields>
void describe(Fields& fields, As<NoHelp>) {
  fields.object("no_help", "A change that people try and that does not repair this setup.");
  fields.always("change", &NoHelp::change, "What people write.");
  fields.always("reason", &NoHelp::reason, "What is wrong with it.");
}

// Nothing is left out of a report, and an output has no edge.
struct InReport {};

template <typename Fields>
void describe(Fields& fields, As<Output, InReport>) {
  fields.object("output", "A tensor in forward's return value.");
  describe_tensor(fields);
  describe_in_loss(fields);
  describe_found_by_ddp(fields);
  describe_place(fields);
}

template <typename Fields>
void describe_model(Fields& fields) {
  using forms::at_least, forms::counted;
  fields.always("gradscan", &Report::gradscan, "Version of gradscan.");
  fields.always("torch", &Report::torch, "Version of the LibTorch that was asked.");
  fields.always("written_by", &Report::written_by, "Version of the torch that wrote the file; empty if it is not known.");
  fields.required("model", &Report::model, "The file's name, without its folder.");
  fields.always("in_turn", &Report::in_turn,
                "Names of the captures that forward calls play in turn (--then); usually one, the model's.",
                forms::Counted<forms::Text, std::nullptr_t>{{}, spaces::capture, {}});
  fields.required("setup", &Report::setup, "What was asked.");
  fields.always("inputs", &Report::inputs, "What forward was run with.", forms::list(forms::Object<Input>{.complete = true}));
  fields.always("outputs", &Report::outputs, "The tensors in forward's return value.",
                forms::list(forms::Object<Output, InReport>{.complete = true}));
  fields.always("frozen", &Report::frozen, "Number of parameters that do not require grad, which DDP ignores.", at_least(0));
  fields.always("ignored", &Report::ignored, "Number of parameters that DDP was told to ignore (--ignore).", at_least(0));
  fields.required(
      "parameters", &Report::parameters,
      "Those that require grad, without repetition, in named_parameters() order: by their index, the number that DDP "
      "prints.",
      counted<ParameterReport>(spaces::parameter, &ParameterReport::name));
  fields.always("regions", &Report::regions, "Executed checkpoint(...) calls, enclosing ones before those that they enclose.",
                counted<RegionReport>(spaces::region));
  fields.always("regions_known", &Report::regions_known,
                "Whether forward executes no other regions: gradscan.export and gradscan.record have seen every call of "
                "checkpoint, other files only name some.");
  fields.always("stages", &Report::stages, "The outer graph in the order of backward, contracted.",
                counted<Stage>(spaces::stage));
}

template <typename Fields>
void describe_results(Fields& fields) {
  fields.always("second_run", &Report::second_run,
                "Where backward stops without DDP because two backwards come to a node that saves tensors; else null.");
  fields.always(
      "buckets", &Report::buckets,
      "Indices of the parameters that DDP reduces together, in the requested setup, in the order of the all-reduce: the "
      "layout that it keeps, which is the one it was made with if an error stops it before.",
      forms::list(forms::list(forms::Index{spaces::parameter})));
  fields.required("verdict", &Report::verdict, "Of the requested setup.");
  fields.required("verdicts", &Report::verdicts,
                  "Nine rows, {reentrant, non_reentrant, off} x {defaults, find_unused_parameters, static_graph}, in which all "
                  "regions are taken to be of that kind; before them three with as_given, if the file mixes kinds.");
  fields.required("findings", &Report::findings, "Errors first, then silent failures, then notes.");
  fields.always(
      "fixes", &Report::fixes,
      "Smaller changes first: flags of DDP, parameters that the loss does not depend on, the training step, inputs of "
      "regions, then as few regions as can be, all of them, several things at once.");
  fields.always("no_help", &Report::no_help, "What does not repair this setup.");
  fields.always("price", &Report::price, "Of the requested setup.");
  fields.always("prices", &Report::prices, "For each kind of checkpointing that verdicts has.");
  fields.always("fixed", &Report::fixed, "Memory besides activations.");
  fields.optional("loss_guessed", &Report::loss_guessed, "Whether in_loss of the outputs is a guess.");
  fields.optional(
      "disagreements", &Report::disagreements,
      "Parameters whose hooks fire otherwise in a real backward than gradscan predicts: no verdict can be relied on.");
  fields.optional("backward_error", &Report::backward_error,
                  "With which the model, as recorded and without DDP, failed to train, though its graph does not explain it.");
  fields.optional("changed_since", &Report::changed_since, "Whether the graph has been changed since then.");
  fields.always("varying", &Report::varying, "Why iterations may run other graphs than those in turn, where the file says so.");
  fields.optional("dropping", &Report::dropping, "Why iterations may leave layers out.");
  fields.optional("ended", &Report::ended, "Why no more iterations could be recorded.");
  fields.always("notes", &Report::notes, "Sentences about what could not be seen.");
}

inline constexpr const char* report_schema = "gradscan-report/1";

// The report of one of a report's setups, which has none itself: reports lie in one another no deeper than that.
struct OfSetup {};

template <typename Fields>
void describe(Fields& fields, As<Report, OfSetup>) {
  fields.document(report_schema, "report_of_setup", "The report of a setup, without fixes.");
  describe_model(fields);
  describe_results(fields);
}

template <typename Fields>
void describe(Fields& fields, As<Report>) {
  fields.document(report_schema, "report", "What gradscan has found out about a model.");
  describe_model(fields);
  describe_results(fields);
  fields.optional("setups", &Report::setups, "Only if asked for: the reports of verdicts, in that order.",
                  forms::list(forms::Document<Report, OfSetup>{}));
}

}  // namespace gradscan
